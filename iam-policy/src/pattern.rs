//! Text with wildcards and policy variables, and how it is compared.

use crate::context::View;

/// A string of a policy: plain characters, `*`, `?` and `${variables}`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    written: String,
    parts: Vec<Part>,
}

/// What is special in a string; it depends on the element, the operator and the version of the policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    /// `*` and `?` stand for other characters.
    pub(crate) wildcards: bool,
    /// `${key}` stands for the value of a context key: version 2012-10-17 only.
    pub(crate) variables: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Char(char),
    Any,
    One,
    Variable { key: String, default: Option<String> },
}

/// A pattern whose variables have been replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `*`: any characters.
    Any,
    /// `?`: any one character.
    One,
    /// `*` that stays within its ARN segment.
    AnyWithin,
    /// `?` that stays within its ARN segment.
    OneWithin,
}

/// How two characters are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    Insensitive,
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
                parts.push(variable(name)?);
                rest = after;
                continue;
            }
            parts.push(match next {
                '*' if syntax.wildcards => Part::Any,
                '?' if syntax.wildcards => Part::One,
                other => Part::Char(other),
            });
            rest = &rest[next.len_utf8()..];
        }
        Ok(Self {
            written: written.to_owned(),
            parts,
        })
    }

    /// The string as it stands in the policy.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The context keys that the string refers to.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { key, .. } => Some(key.as_str()),
            _ => None,
        })
    }

    /// Whether the string, as written, could be compared as an ARN: it has six segments, or variables that may.
    pub(crate) fn may_be_arn(&self) -> bool {
        self.variables().next().is_some() || self.written.matches(':').count() >= 5
    }

    /// Whether the whole of `value` matches. A variable that has no value matches nothing.
    pub(crate) fn matches(&self, value: &str, case: Case, view: &View<'_>) -> bool {
        self.resolve(view).is_some_and(|tokens| run(&tokens, value, case))
    }

    /// As [`Self::matches`] for a `Resource`: a wildcard stays within its segment of the ARN, except that a `*` at the
    /// end of a segment may go on beyond the colon, and that the last segment (the resource) has no further colons
    /// of meaning. Source: "IAM JSON policy elements: Resource", wildcards in resource ARNs.
    pub(crate) fn matches_resource(&self, value: &str, view: &View<'_>) -> bool {
        let Some(mut tokens) = self.resolve(view) else {
            return false;
        };
        bind_to_segments(&mut tokens);
        run(&tokens, value, Case::Sensitive)
    }

    /// As [`Self::matches`] for the ARN operators: each of the six segments is compared on its own. Text that is not
    /// an ARN, on either side, matches nothing.
    pub(crate) fn matches_arn(&self, value: &str, view: &View<'_>) -> bool {
        let Some(tokens) = self.resolve(view) else { return false };
        let patterns: Vec<&[Token]> = tokens.splitn(6, |token| *token == Token::Char(':')).collect();
        let values: Vec<&str> = value.splitn(6, ':').collect();
        patterns.len() == 6
            && values.len() == 6
            && patterns
                .iter()
                .zip(&values)
                .all(|(pattern, value)| run(pattern, value, Case::Sensitive))
    }

    /// Replaces the variables; their values are plain text, whatever characters they hold.
    fn resolve(&self, view: &View<'_>) -> Option<Vec<Token>> {
        let mut tokens = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match part {
                Part::Char(c) => tokens.push(Token::Char(*c)),
                Part::Any => tokens.push(Token::Any),
                Part::One => tokens.push(Token::One),
                Part::Variable { key, default } => {
                    // A key with several values cannot be used as a variable: it counts as having none.
                    let value = match view.get(key) {
                        Some([value]) => value,
                        _ => default.as_ref()?,
                    };
                    tokens.extend(value.chars().map(Token::Char));
                }
            }
        }
        Some(tokens)
    }
}

/// Splits `key, 'default'} rest` at its closing brace; a brace between the quotes does not close.
fn split_variable(inner: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, c) in inner.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '}' if !quoted => return Some((&inner[..at], &inner[at + 1..])),
            _ => {}
        }
    }
    None
}

fn variable(name: &str) -> Result<Part, String> {
    match name {
        // The three characters that can only be written as variables.
        "*" => return Ok(Part::Char('*')),
        "?" => return Ok(Part::Char('?')),
        "$" => return Ok(Part::Char('$')),
        _ => {}
    }
    let (key, default) = match name.split_once(',') {
        None => (name, None),
        Some((key, default)) => {
            let quoted = default
                .trim()
                .strip_prefix('\'')
                .and_then(|text| text.strip_suffix('\''));
            match quoted {
                Some(text) if !text.contains('\'') => (key, Some(text.to_owned())),
                _ => {
                    return Err(format!(
                        "the default of the policy variable ${{{name}}} must stand in single quotes"
                    ));
                }
            }
        }
    };
    let key = key.trim();
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '-' | '_' | '.' | '+' | '=' | '@');
    if !key.contains(':') || !key.chars().all(known) {
        return Err(format!(
            "the policy variable ${{{name}}} does not name a context key such as aws:username"
        ));
    }
    Ok(Part::Variable {
        key: key.to_owned(),
        default,
    })
}

fn bind_to_segments(tokens: &mut [Token]) {
    let mut segment = 0;
    for at in 0..tokens.len() {
        // Of several stars in a row the last one decides.
        let next = tokens.get(at + 1).copied();
        match tokens[at] {
            Token::Char(':') => segment += 1,
            Token::Any if segment < 5 && !matches!(next, None | Some(Token::Char(':'))) => {
                tokens[at] = Token::AnyWithin;
            }
            Token::One if segment < 5 => tokens[at] = Token::OneWithin,
            _ => {}
        }
    }
}

/// Runs the pattern over the value, keeping every position it may be in: the time is bounded by the product of the
/// two lengths, whatever the wildcards.
fn run(tokens: &[Token], value: &str, case: Case) -> bool {
    let mut current = vec![false; tokens.len() + 1];
    current[0] = true;
    skip_stars(tokens, &mut current);
    for c in value.chars() {
        let mut next = vec![false; tokens.len() + 1];
        for (at, token) in tokens.iter().enumerate() {
            if !current[at] {
                continue;
            }
            match token {
                Token::Char(wanted) => next[at + 1] |= same(*wanted, c, case),
                Token::One => next[at + 1] = true,
                Token::OneWithin => next[at + 1] |= c != ':',
                Token::Any => next[at] = true,
                Token::AnyWithin => next[at] |= c != ':',
            }
        }
        skip_stars(tokens, &mut next);
        current = next;
    }
    current[tokens.len()]
}

fn skip_stars(tokens: &[Token], positions: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate() {
        if positions[at] && matches!(token, Token::Any | Token::AnyWithin) {
            positions[at + 1] = true;
        }
    }
}

fn same(a: char, b: char, case: Case) -> bool {
    a == b || (case == Case::Insensitive && a.to_lowercase().eq(b.to_lowercase()))
}
