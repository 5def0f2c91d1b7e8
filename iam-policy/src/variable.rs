//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'nobody'}`.

use crate::context::View;

/// A policy variable.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    key: String,
    /// The key in lower case, as contexts keep it.
    lower: String,
    default: Option<String>,
}

// === impl Variable ===

impl Variable {
    /// Reads what stands between the braces. The error is a fragment that says what is wrong with it.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
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
        if !is_key(key) {
            return Err(format!(
                "the policy variable ${{{name}}} does not name a context key such as aws:username"
            ));
        }
        Ok(Self {
            key: key.to_owned(),
            lower: key.to_ascii_lowercase(),
            default,
        })
    }

    /// The context key, as written.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// What stands in the place of the variable. A key with several values cannot be used as a variable: it counts as
    /// having none.
    pub(crate) fn value<'v>(&'v self, view: &'v View<'_>) -> Option<&'v str> {
        view.single(&self.lower).or(self.default.as_deref())
    }
}

/// Splits `key, 'default'} rest` at its closing brace; a brace between the quotes does not close.
pub(crate) fn split_variable(inner: &str) -> Option<(&str, &str)> {
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

/// `vendor:name`, or `vendor:name/tag` where the key of a tag may hold spaces and letters of any script ("Rules for
/// tagging in IAM and AWS STS").
fn is_key(key: &str) -> bool {
    let sign = |c: char| matches!(c, ':' | '/' | '-' | '_' | '.' | '+' | '=' | '@');
    let (name, tag) = key.split_once('/').unwrap_or((key, ""));
    key.contains(':')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || sign(c))
        && tag.chars().all(|c| c.is_alphanumeric() || c == ' ' || sign(c))
}
