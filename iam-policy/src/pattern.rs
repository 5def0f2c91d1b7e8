//! A string of a policy with wildcards and policy variables, and how it is compared.

use crate::context::View;
use crate::glob::{Glob, Token};
use crate::segments::Segments;
use crate::variable::{Variable, split_variable};

/// A string of a policy: plain characters, `*`, `?` and `${variables}`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    written: String,
    form: Form,
    body: Body,
}

/// What is special in a string; it depends on the element, the operator and the version of the policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    /// `*` and `?` stand for other characters.
    pub(crate) wildcards: bool,
    /// `${key}` stands for the value of a context key: version 2012-10-17 only.
    pub(crate) variables: bool,
    pub(crate) form: Form,
}

/// What a string is compared with, and so how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Any text, character by character.
    Text,
    /// Any text, whatever the case of its letters.
    AnyCase,
    /// The resource of a request: a wildcard stays within its segment of the ARN, except that a `*` at the end of a
    /// segment may go on beyond the colon, and that the last segment (the resource) has no further colons of meaning.
    Resource,
    /// An ARN whose six segments are compared each on its own. Text that is no ARN, on either side, matches nothing.
    Arn,
}

#[derive(Clone, Debug)]
enum Body {
    /// Without variables: prepared once.
    Fixed(Prepared),
    Variable(Vec<Part>),
}

#[derive(Clone, Debug)]
enum Part {
    Token(Token),
    Variable(Variable),
}

/// A pattern without variables, ready for comparing.
#[derive(Clone, Debug)]
enum Prepared {
    Text(Glob),
    AnyCase(Glob),
    Segments(Segments),
    Arn(Box<[Glob; 6]>),
    Nothing,
}

// === impl Pattern ===

impl Pattern {
    /// Reads a string. The error is a fragment that says what is wrong with it.
    pub(crate) fn parse(written: &str, syntax: Syntax) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = written;
        while let Some(next) = rest.chars().next() {
            if syntax.variables
                && let Some(inner) = rest.strip_prefix("${")
            {
                let Some((name, after)) = split_variable(inner) else {
                    return Err(format!("the policy variable in {written:?} is not closed by a brace"));
                };
                parts.push(match name {
                    // The three characters that can only be written as variables.
                    "*" => Part::Token(Token::Char('*')),
                    "?" => Part::Token(Token::Char('?')),
                    "$" => Part::Token(Token::Char('$')),
                    _ => Part::Variable(Variable::parse(name)?),
                });
                rest = after;
                continue;
            }
            parts.push(Part::Token(match next {
                '*' if syntax.wildcards => Token::Any,
                '?' if syntax.wildcards => Token::One,
                other => Token::Char(other),
            }));
            rest = &rest[next.len_utf8()..];
        }
        let tokens: Option<Vec<Token>> = parts
            .iter()
            .map(|part| match part {
                Part::Token(token) => Some(*token),
                Part::Variable(_) => None,
            })
            .collect();
        Ok(Self {
            written: written.to_owned(),
            form: syntax.form,
            body: tokens.map_or(Body::Variable(parts), |tokens| {
                Body::Fixed(Prepared::of(&tokens, syntax.form))
            }),
        })
    }

    /// The string as it stands in the policy.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The context keys that the string refers to.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        let parts: &[Part] = match &self.body {
            Body::Fixed(_) => &[],
            Body::Variable(parts) => parts,
        };
        parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable.key()),
            Part::Token(_) => None,
        })
    }

    /// Whether the string, as written, could be compared as an ARN: it has six segments, or variables that may.
    pub(crate) fn may_be_arn(&self) -> bool {
        !matches!(self.body, Body::Fixed(Prepared::Nothing))
    }

    /// Whether the whole of `value` matches. A variable that has no value matches nothing.
    pub(crate) fn matches(&self, value: &str, view: &View<'_>) -> bool {
        match &self.body {
            Body::Fixed(prepared) => prepared.matches(value),
            Body::Variable(parts) => {
                resolve(parts, view).is_some_and(|tokens| Prepared::of(&tokens, self.form).matches(value))
            }
        }
    }
}

/// Replaces the variables; their values are plain text, whatever characters they hold.
fn resolve(parts: &[Part], view: &View<'_>) -> Option<Vec<Token>> {
    let mut tokens = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Part::Token(token) => tokens.push(*token),
            Part::Variable(variable) => tokens.extend(variable.value(view)?.chars().map(Token::Char)),
        }
    }
    Some(tokens)
}

// === impl Prepared ===

impl Prepared {
    fn of(tokens: &[Token], form: Form) -> Self {
        let all = || tokens.iter().copied();
        match form {
            Form::Text => Self::Text(Glob::of(all())),
            Form::AnyCase => Self::AnyCase(Glob::of(all().flat_map(lower))),
            Form::Resource => match Segments::of(tokens) {
                Some(segments) => Self::Segments(segments),
                None => Self::Text(Glob::of(all())),
            },
            Form::Arn => {
                let segments: Vec<Glob> = tokens
                    .splitn(6, |token| *token == Token::Char(':'))
                    .map(|segment| Glob::of(segment.iter().copied()))
                    .collect();
                segments
                    .try_into()
                    .map_or(Self::Nothing, |segments| Self::Arn(Box::new(segments)))
            }
        }
    }

    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Text(glob) => glob.matches(value),
            Self::AnyCase(glob) => glob.matches(&value.chars().flat_map(char::to_lowercase).collect::<String>()),
            Self::Segments(segments) => segments.matches(value),
            Self::Arn(patterns) => {
                let mut segments = value.splitn(6, ':');
                patterns
                    .iter()
                    .all(|pattern| segments.next().is_some_and(|segment| pattern.matches(segment)))
            }
            Self::Nothing => false,
        }
    }
}

fn lower(token: Token) -> Vec<Token> {
    match token {
        Token::Char(c) => c.to_lowercase().map(Token::Char).collect(),
        other => vec![other],
    }
}
