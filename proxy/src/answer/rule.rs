//! Which paths of the node's own metadata pods may read.

use std::str::FromStr;

use super::route::is_version;

/// What no rule lets through: the node's credentials and what its user data may hold.
const NEVER: [&str; 3] = ["iam", "identity-credentials", "user-data"];

/// A path that pods may read, below the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassthroughRule {
    segments: Vec<String>,
    everything_below: bool,
}

/// The path cannot be a rule.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidPassthrough {
    /// It leads to what pods must not read.
    #[error("`{0}` is never passed through: it would show pods the node's own credentials or user data")]
    Never(&'static str),
    /// It is not a plain path.
    #[error("write plain segments of letters, digits, `.`, `_` and `-` between single slashes; `*` only as the last")]
    NotPlain,
}

impl PassthroughRule {
    /// Whether the rule allows a path, as it was sent. Only plain spellings are allowed, so that what the node's
    /// service understands is what was judged here.
    pub fn allows(&self, path: &str) -> bool {
        let Some(asked) = plain(path) else { return false };
        let Some((version, asked)) = asked.split_first() else {
            return false;
        };
        if !is_version(version) || asked.iter().any(|segment| never(segment).is_some()) {
            return false;
        }
        let Some(head) = asked.get(..self.segments.len()) else {
            return false;
        };
        let below = asked.len() > self.segments.len();
        head.iter().zip(&self.segments).all(|(a, b)| a == b) && below == self.everything_below
    }
}

impl FromStr for PassthroughRule {
    type Err = InvalidPassthrough;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = if text.starts_with('/') {
            text.to_owned()
        } else {
            format!("/meta-data/{text}")
        };
        if let Some(name) = path.split('/').find_map(never) {
            return Err(InvalidPassthrough::Never(name));
        }
        let (path, everything_below) = match path.strip_suffix("/*") {
            Some(path) => (path, true),
            None => (path.as_str(), false),
        };
        let segments = match path {
            "" if everything_below => Vec::new(),
            path => plain(path).ok_or(InvalidPassthrough::NotPlain)?,
        };
        Ok(Self {
            segments: segments.into_iter().map(str::to_owned).collect(),
            everything_below,
        })
    }
}

/// The segments of a plain path: `/a/b`, of letters, digits, `.`, `_` and `-`, none of them empty or made of dots.
fn plain(path: &str) -> Option<Vec<&str>> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let plain = |segment: &&str| {
        !segment.is_empty()
            && segment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && segment.bytes().any(|b| b != b'.')
    };
    segments.iter().all(plain).then_some(segments)
}

fn never(segment: &str) -> Option<&'static str> {
    NEVER.into_iter().find(|name| name.eq_ignore_ascii_case(segment))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("instance-id", "/latest/meta-data/instance-id", true)]
    #[case("instance-id", "/2021-07-15/meta-data/instance-id", true)]
    #[case("instance-id", "/latest/meta-data/instance-id/", false)]
    #[case("instance-id", "/latest/meta-data/instance-idx", false)]
    #[case("instance-id", "/latest/meta-data/Instance-Id", false)]
    #[case("instance-id", "/latest//meta-data/instance-id", false)]
    #[case("instance-id", "//latest/meta-data/instance-id", false)]
    #[case("instance-id", "/latest/meta-data/./instance-id", false)]
    #[case("instance-id", "/latest/meta-data/iam/../instance-id", false)]
    #[case("instance-id", "/latest/meta-data/instance%2did", false)]
    #[case("instance-id", "/latest/meta-data/instance-id;x", false)]
    #[case("instance-id", "/other/meta-data/instance-id", false)]
    #[case("placement/*", "/latest/meta-data/placement/region", true)]
    #[case("placement/*", "/latest/meta-data/placement/a/b", true)]
    #[case("placement/*", "/latest/meta-data/placement", false)]
    #[case("placement/*", "/latest/meta-data/placement/", false)]
    #[case(
        "/dynamic/instance-identity/document",
        "/latest/dynamic/instance-identity/document",
        true
    )]
    #[case("*", "/latest/meta-data/ami-id", true)]
    #[case("*", "/latest/meta-data/iam/info", false)]
    #[case("*", "/latest/meta-data/IAM/info", false)]
    #[case("*", "/latest/meta-data/identity-credentials/ec2/info", false)]
    #[case("/*", "/latest/user-data", false)]
    #[case("/*", "/latest/meta-data/iam/security-credentials/", false)]
    #[case("/*", "/latest/meta-data/x/iam", false)]
    fn only_plain_spellings_of_what_a_rule_names_pass(
        #[case] rule: PassthroughRule,
        #[case] path: &str,
        #[case] allowed: bool,
    ) {
        assert_eq!(rule.allows(path), allowed);
    }

    #[rstest]
    #[case("iam/info", InvalidPassthrough::Never("iam"))]
    #[case("iam/*", InvalidPassthrough::Never("iam"))]
    #[case("IAM/info", InvalidPassthrough::Never("iam"))]
    #[case("/user-data", InvalidPassthrough::Never("user-data"))]
    #[case("identity-credentials/*", InvalidPassthrough::Never("identity-credentials"))]
    #[case("a//b", InvalidPassthrough::NotPlain)]
    #[case("a/../b", InvalidPassthrough::NotPlain)]
    #[case("a/*/b", InvalidPassthrough::NotPlain)]
    #[case("a*", InvalidPassthrough::NotPlain)]
    #[case("", InvalidPassthrough::NotPlain)]
    #[case("%69am/info", InvalidPassthrough::NotPlain)]
    fn a_rule_that_would_show_too_much_is_refused(#[case] text: &str, #[case] error: InvalidPassthrough) {
        assert_eq!(text.parse::<PassthroughRule>(), Err(error));
    }
}
