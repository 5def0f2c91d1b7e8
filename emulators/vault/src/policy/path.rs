//! Paths of rules: literal, a prefix that ends with `*`, and `+` for one whole segment.

use std::cmp::Ordering;

/// The path of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Pattern {
    /// As it was written, without a `*` at its end.
    text: String,
    /// It ended with `*`.
    glob: bool,
}

// === impl Pattern ===

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let text = text.strip_prefix('/').unwrap_or(text);
        match text.strip_suffix('*') {
            Some(prefix) => Self {
                text: prefix.to_owned(),
                glob: true,
            },
            None => Self {
                text: text.to_owned(),
                glob: false,
            },
        }
    }

    fn has_wildcard_segment(&self) -> bool {
        self.text.split('/').any(|segment| segment == "+")
    }

    /// No wildcard of any kind: it goes before all others.
    pub(super) fn is_exact(&self) -> bool {
        !self.glob && !self.has_wildcard_segment()
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        if !self.has_wildcard_segment() {
            return if self.glob {
                path.starts_with(&self.text)
            } else {
                path == self.text
            };
        }
        let mut asked = path.split('/');
        let mut own = self.text.split('/').peekable();
        while let Some(segment) = own.next() {
            let last = own.peek().is_none();
            let Some(asked) = asked.next() else { return false };
            if last && self.glob {
                // `a/+*` would match as `a/*` does; what is before the star is a prefix.
                return segment == "+" || asked.starts_with(segment);
            }
            // One segment, and not none.
            if segment == "+" && !asked.is_empty() || segment == asked {
                continue;
            }
            return false;
        }
        asked.next().is_none()
    }

    /// The more specific of two patterns that match the same path is the greater: the one whose first wildcard comes
    /// later, then the one without `*`, then the one with fewer `+`, then the longer, then the later in the alphabet
    /// (Vault's documentation, "Policies", priority matching).
    pub(super) fn specificity(&self, other: &Self) -> Ordering {
        let first = |p: &Self| p.first_wildcard();
        let pluses = |p: &Self| p.text.split('/').filter(|segment| *segment == "+").count();
        first(self)
            .cmp(&first(other))
            .then_with(|| other.glob.cmp(&self.glob))
            .then_with(|| pluses(other).cmp(&pluses(self)))
            .then_with(|| self.text.len().cmp(&other.text.len()))
            .then_with(|| self.text.cmp(&other.text))
    }

    fn first_wildcard(&self) -> usize {
        let plus = match self.text.strip_prefix("+/") {
            Some(_) => Some(0),
            None => self.text.find("/+/").map(|at| at + 1),
        };
        let plus = plus.or_else(|| self.text.strip_suffix("/+").map(|before| before.len() + 1));
        let end = if self.glob { self.text.len() } else { usize::MAX };
        plus.unwrap_or(usize::MAX).min(end)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("aws/creds/readonly", "aws/creds/readonly", true)]
    #[case("aws/creds/readonly", "aws/creds/readonly/x", false)]
    #[case("aws/creds/*", "aws/creds/readonly", true)]
    #[case("aws/creds/*", "aws/creds", false)]
    #[case("aws/cr*", "aws/creds/readonly", true)]
    #[case("+/creds/readonly", "aws/creds/readonly", true)]
    #[case("aws/+/readonly", "aws/creds/readonly", true)]
    #[case("aws/+/readonly", "aws/a/b/readonly", false)]
    #[case("aws/+", "aws/", false)]
    #[case("aws/+/read*", "aws/sts/readonly/x", true)]
    #[case("*", "anything/at/all", true)]
    fn wildcards_match_as_documented(#[case] pattern: &str, #[case] path: &str, #[case] matches: bool) {
        assert_eq!(Pattern::new(pattern).matches(path), matches);
    }

    #[rstest]
    #[case("aws/creds/*", "aws/*")]
    #[case("aws/creds/+", "aws/creds/*")]
    #[case("aws/creds/read*", "aws/+/readonly")]
    #[case("aws/+/readonly", "+/+/readonly")]
    #[case("aws/creds/+/x", "aws/creds/+/*")]
    fn the_first_is_the_more_specific(#[case] more: &str, #[case] less: &str) {
        let order = Pattern::new(more).specificity(&Pattern::new(less));
        assert_eq!(order, Ordering::Greater);
    }
}
