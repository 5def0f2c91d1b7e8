use std::borrow::Cow;

use crate::answer::Refusal;

/// One filter of a description: what it looks at, and the patterns of which one must match. Case counts; `*` stands for
/// any text, `?` for one character, and a backslash takes the meaning from what follows (EC2 User Guide, "Filter").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    name: String,
    patterns: Vec<Vec<Token>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Char(char),
}

// === impl Filter ===

impl Filter {
    pub(super) fn new<'v>(name: &str, values: impl IntoIterator<Item = &'v str>) -> Self {
        Self {
            name: name.to_owned(),
            patterns: values.into_iter().map(read).collect(),
        }
    }

    /// Whether it lets something with these texts pass. `texts` gives those of one filter name, or none if there is no
    /// filter of this name.
    ///
    /// # Errors
    /// There is no filter of this name.
    pub(super) fn passes<'t>(&self, texts: impl Fn(&str) -> Option<Vec<Cow<'t, str>>>) -> Result<bool, Refusal> {
        let found = texts(&self.name).ok_or_else(|| {
            Refusal::new(
                400,
                "InvalidParameterValue",
                format!("The filter '{}' is invalid", self.name),
            )
        })?;
        Ok(found
            .iter()
            .any(|text| self.patterns.iter().any(|pattern| matches(pattern, text))))
    }
}

/// Whether all of these filters let something pass.
pub(super) fn all_pass<'t>(
    filters: &[Filter],
    texts: impl Fn(&str) -> Option<Vec<Cow<'t, str>>>,
) -> Result<bool, Refusal> {
    // Each is asked, also when one has said no: a name that is none is an error whatever the others say.
    filters
        .iter()
        .try_fold(true, |all, filter| Ok(filter.passes(&texts)? && all))
}

fn read(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Char(chars.next().unwrap_or('\\')),
            c => Token::Char(c),
        });
    }
    tokens
}

/// Goes back to the last `*` alone, so that no pattern takes more steps than its length times the text's.
fn matches(pattern: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut back = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Token::Any) => {
                back = Some((p, t));
                p += 1;
            }
            Some(Token::One) => (p, t) = (p + 1, t + 1),
            Some(Token::Char(c)) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (p, t) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|token| *token == Token::Any)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("node-1", "node-1", true)]
    #[case("node-1", "node-11", false)]
    #[case("Node-1", "node-1", false)]
    #[case("node-*", "node-", true)]
    #[case("*.ec2.internal", "ip-10-0-0-1.ec2.internal", true)]
    #[case("ip-*-1.*", "ip-1-1-1.x", true)]
    #[case("ip-*-1.*", "ip-1-1-2.x", false)]
    #[case("n?de", "node", true)]
    #[case("n?de", "nde", false)]
    #[case("a\\*", "a*", true)]
    #[case("a\\*", "ab", false)]
    #[case("", "", true)]
    fn a_value_matches_as_ec2_documents_it(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
        assert_eq!(matches(&read(pattern), text), expected);
    }
}
