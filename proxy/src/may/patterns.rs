//! Regular expressions, matched whole and in time linear in the text.

use regex::bytes::{RegexBuilder, RegexSet, RegexSetBuilder};

use crate::which::{BaseArn, Role};

/// Largest compiled expression, in bytes.
const LARGEST: usize = 64 * 1024;

/// Largest compiled list, in bytes. Lists are kept for as long as their namespaces.
const LARGEST_LIST: usize = 1024 * 1024;

/// Most expressions of a list: each is compiled while the watch of namespaces waits.
const MOST: usize = 256;

/// The expressions of one list: those for whole ARNs, those for what follows the base ARN, and those for Vault's roles.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    arns: RegexSet,
    names: RegexSet,
    vault: RegexSet,
}

impl Patterns {
    /// Compiles `entries`; says of each that cannot be used why. Such a one allows nothing.
    pub(super) fn read<'a>(entries: impl Iterator<Item = &'a str>) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let mut entries: Vec<&str> = entries.collect();
        if entries.len() > MOST {
            problems.push(format!(
                "the list has {} expressions, and may have {MOST}",
                entries.len()
            ));
            entries.clear();
        }
        let (mut arns, mut names, mut vault) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            match whole(entry) {
                Ok(pattern) if is_for("arn:", entry) => arns.push(pattern),
                Ok(pattern) if is_for("vault:", entry) => vault.push(pattern),
                Ok(pattern) => names.push(pattern),
                Err(problem) => problems.push(problem),
            }
        }
        let mut set = |patterns: Vec<String>| {
            RegexSetBuilder::new(patterns)
                .unicode(false)
                .size_limit(LARGEST_LIST)
                .dfa_size_limit(LARGEST_LIST)
                .build()
                .unwrap_or_else(|_| {
                    problems.push(format!("the list compiles to more than {LARGEST_LIST} bytes"));
                    RegexSet::empty()
                })
        };
        let patterns = Self {
            arns: set(arns),
            names: set(names),
            vault: set(vault),
        };
        (patterns, problems)
    }

    /// Whether one of those for Vault's roles matches `vault:<name>`.
    pub(super) fn allow_vault(&self, role: &str) -> bool {
        self.vault.is_match(role.as_bytes())
    }

    /// Whether one of them matches the role. Without a base ARN there are no names, and all are for whole ARNs.
    pub(super) fn allow(&self, role: &Role, base: Option<&BaseArn>) -> bool {
        let name = match base {
            Some(base) => role.arn.strip_prefix(base.as_str()),
            None => Some(role.arn.as_str()),
        };
        self.arns.is_match(role.arn.as_bytes()) || name.is_some_and(|name| self.names.is_match(name.as_bytes()))
    }
}

/// The expression for the whole text, from one that is an expression by itself: `a)|(?:b` would become two that are
/// each held at one end alone.
fn whole(entry: &str) -> Result<String, String> {
    // IAM paths begin with a slash; a name may be written so.
    let entry = match entry.strip_prefix('^') {
        Some(rest) => rest.strip_prefix('/').unwrap_or(rest),
        None => entry.strip_prefix('/').unwrap_or(entry),
    };
    let pattern = format!("^(?:{entry})$");
    for text in [entry, &pattern] {
        // As in Go, classes such as \w are of ASCII, which is all that a role's ARN has.
        RegexBuilder::new(text)
            .unicode(false)
            .size_limit(LARGEST)
            .dfa_size_limit(LARGEST)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(limit) => format!("`{entry}` compiles to more than {limit} bytes"),
                error => format!("`{entry}` is no regular expression: {error}"),
            })?;
    }
    Ok(pattern)
}

/// Whether an expression is written for texts that begin so: `prefix` comes first, but for an anchor and opening groups.
fn is_for(prefix: &str, entry: &str) -> bool {
    let mut rest = entry;
    while let Some(next) = ["^", "(?:", "("].iter().find_map(|opening| rest.strip_prefix(opening)) {
        rest = next;
    }
    rest.starts_with(prefix)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const BASE: &str = "arn:aws:iam::123456789012:role/";
    const ELSEWHERE: &str = "arn:aws:iam::999999999999:role/my-role";

    #[rstest]
    #[case::name("my-role", "my-role", true)]
    #[case::not_its_beginning("my-role", "my-role-admin", false)]
    #[case::not_its_end("my-role", "not-my-role", false)]
    #[case::both_alternatives_whole("my|role", "my-role", false)]
    #[case::alternatives("my-role|other", "my-role", true)]
    #[case::own_anchors("^my-role$", "my-role", true)]
    #[case::wildcard("my-.*", "my-role", true)]
    #[case::crosses_paths("team/.*", "team/a/reader", true)]
    #[case::written_as_a_path("/team/.*", "team/reader", true)]
    #[case::anchored_path("^/team/.*$", "team/reader", true)]
    #[case::case_counts("MY-ROLE", "my-role", false)]
    #[case::flags("(?i)MY-ROLE", "my-role", true)]
    #[case::whole_in_every_mode("(?m)^my$", "my-role", false)]
    #[case::arn("arn:aws:iam::123456789012:role/my-.*", "my-role", true)]
    #[case::anchored_arn("^arn:aws:iam::123456789012:role/my-.*$", "my-role", true)]
    #[case::grouped_arn("^(arn:aws:iam::(123456789012|999999999999):role/my-role)$", ELSEWHERE, true)]
    #[case::arn_not_its_beginning("^arn:aws:iam::123456789012:role/my", "my-role", false)]
    #[case::other_account_by_arn("^arn:aws:iam::999999999999:role/.*", ELSEWHERE, true)]
    #[case::name_stays_in_the_account("my-role", ELSEWHERE, false)]
    #[case::everything_stays_in_the_account(".*", ELSEWHERE, false)]
    #[case::everything(".*", "my-role", true)]
    #[case::no_expression("my-role(", "my-role", false)]
    #[case::lookahead("my(?=-role).*", "my-role", false)]
    #[case::two_halves("my-role)|(?:.*", "other", false)]
    #[case::too_large("(?:(?:[a-z]{100}){100}){100}|my-role", "my-role", false)]
    fn an_expression_matches_the_whole_role(#[case] pattern: &str, #[case] role: &str, #[case] allowed: bool) {
        let base: BaseArn = BASE.parse().unwrap();
        let role = Role::resolve(Some(role), Some(&base)).unwrap();
        let (patterns, _) = Patterns::read(std::iter::once(pattern));
        assert_eq!(patterns.allow(&role, Some(&base)), allowed);
    }

    #[test]
    fn without_a_base_every_expression_is_for_whole_arns() {
        let role = Role::resolve(Some(ELSEWHERE), None).unwrap();
        let allows = |pattern| Patterns::read(std::iter::once(pattern)).0.allow(&role, None);
        assert!(allows(".*:role/my-role") && allows("arn:.*") && allows(".*"));
        assert!(!allows("my-role") && !allows("arn:"));
    }

    #[test]
    fn what_cannot_be_used_is_told_and_the_rest_counts() {
        let base: BaseArn = BASE.parse().unwrap();
        let role = Role::resolve(Some("my-role"), Some(&base)).unwrap();
        let (patterns, problems) = Patterns::read(["(", "my-role", "[z-a]"].into_iter());
        assert!(patterns.allow(&role, Some(&base)));
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    #[rstest]
    #[case::too_many(vec!["my-role"; 257], "may have 256")]
    #[case::too_large(vec!["[a-z]{400}|my-role"; 200], "more than 1048576 bytes")]
    fn a_list_that_is_too_much_is_none(#[case] list: Vec<&str>, #[case] problem: &str) {
        let base: BaseArn = BASE.parse().unwrap();
        let role = Role::resolve(Some("my-role"), Some(&base)).unwrap();
        let (patterns, problems) = Patterns::read(list.into_iter());
        assert!(!patterns.allow(&role, Some(&base)));
        assert!(problems.len() == 1 && problems[0].contains(problem), "{problems:?}");
    }
}
