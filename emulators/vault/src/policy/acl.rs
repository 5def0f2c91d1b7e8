//! What several policies together allow on a path.

use std::collections::{BTreeSet, HashMap};

use super::{parse::Policy, path::Pattern};

/// The union of a token's policies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acl {
    root: bool,
    exact: HashMap<Pattern, BTreeSet<&'static str>>,
    wild: HashMap<Pattern, BTreeSet<&'static str>>,
}

// === impl Acl ===

impl Acl {
    /// All that may be done at all.
    pub(crate) fn root() -> Self {
        Self {
            root: true,
            ..Self::default()
        }
    }

    /// Rules for the same path add up; a denial among them takes all away.
    pub(crate) fn of<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Self {
        let mut acl = Self::default();
        for policy in policies {
            for (pattern, capabilities) in &policy.rules {
                let rules = if pattern.is_exact() {
                    &mut acl.exact
                } else {
                    &mut acl.wild
                };
                rules.entry(pattern.clone()).or_default().extend(capabilities);
            }
        }
        acl
    }

    /// The capabilities on a path, by the one pattern that is the most specific for it. Empty if none matches; `deny`
    /// alone if it denies.
    pub(crate) fn on(&self, path: &str) -> BTreeSet<&'static str> {
        if self.root {
            return BTreeSet::from(["root"]);
        }
        let bare = path.strip_suffix('/');
        let exact = self
            .exact
            .get(&Pattern::new(path))
            .or_else(|| bare.and_then(|bare| self.exact.get(&Pattern::new(bare))));
        let found = exact.or_else(|| {
            let matching = |path: &str| {
                self.wild
                    .iter()
                    .filter(|(pattern, _)| pattern.matches(path))
                    .max_by(|(a, _), (b, _)| a.specificity(b))
                    .map(|(_, capabilities)| capabilities)
            };
            matching(path).or_else(|| bare.and_then(matching))
        });
        match found {
            Some(found) if found.contains("deny") => BTreeSet::from(["deny"]),
            Some(found) => found.clone(),
            None => BTreeSet::new(),
        }
    }

    /// Whether a capability is given on a path.
    pub(crate) fn allows(&self, path: &str, capability: &str) -> bool {
        let on = self.on(path);
        on.contains("root") || on.contains(capability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::parse;

    fn acl(texts: &[&str]) -> Acl {
        let policies: Vec<_> = texts.iter().map(|text| parse(text).expect("a policy")).collect();
        Acl::of(&policies)
    }

    #[test]
    fn the_most_specific_rule_alone_decides() {
        let acl = acl(&[r#"
            path "aws/*" { capabilities = ["read"] }
            path "aws/creds/*" { capabilities = ["list"] }
            path "aws/creds/admin" { capabilities = ["deny"] }"#]);
        assert!(acl.allows("aws/roles/x", "read"));
        assert!(!acl.allows("aws/creds/x", "read"));
        assert_eq!(acl.on("aws/creds/admin"), BTreeSet::from(["deny"]));
        assert!(acl.on("secret/x").is_empty());
    }

    #[test]
    fn a_denial_by_any_policy_wins_over_the_same_path() {
        let allow = r#"path "aws/creds/x" { capabilities = ["read", "update"] }"#;
        let deny = r#"path "aws/creds/x" { capabilities = ["deny"] }"#;
        assert!(acl(&[allow]).allows("aws/creds/x", "read"));
        assert!(!acl(&[allow, deny]).allows("aws/creds/x", "read"));
    }

    #[test]
    fn a_list_is_allowed_with_and_without_the_slash() {
        let acl = acl(&[r#"path "aws/roles" { capabilities = ["list"] }"#]);
        assert!(acl.allows("aws/roles/", "list"));
    }
}
