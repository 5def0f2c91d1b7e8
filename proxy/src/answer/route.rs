//! Which answer a request's target is for, judged as it was sent: nothing is folded, decoded or redirected first.

use percent_encoding::percent_decode_str;

/// What a target asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `…/iam/security-credentials` and `…/iam/security-credentials/`: the name of the role.
    Listing,
    /// `…/iam/security-credentials/<role>`, decoded and without the slash that may end it: the role's keys.
    Credentials(String),
    /// `…/api/token`: a session token.
    Token,
    /// Anything else, unusual spellings of the above included. Only a passthrough rule can allow it.
    Other,
}

const CREDENTIALS: &str = "meta-data/iam/security-credentials";

impl Route {
    /// The route of a target's path.
    pub fn of(path: &str) -> Self {
        let Some((version, rest)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
            return Self::Other;
        };
        if !is_version(version) {
            return Self::Other;
        }
        if rest == "api/token" {
            return Self::Token;
        }
        match rest.strip_prefix(CREDENTIALS) {
            Some("" | "/") => Self::Listing,
            Some(tail) => match tail.strip_prefix('/') {
                Some(role) => {
                    let role = role.strip_suffix('/').unwrap_or(role);
                    // Some clients escape `=`, `@` or `+` of a role's name. What is no text names no role.
                    percent_decode_str(role)
                        .decode_utf8()
                        .map_or(Self::Other, |role| Self::Credentials(role.into_owned()))
                }
                None => Self::Other,
            },
            None => Self::Other,
        }
    }

    /// Its label in metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Credentials(_) => "credentials",
            Self::Token => "token",
            Self::Other => "other",
        }
    }
}

/// `latest`, a date as `2021-07-15`, or `1.0`: the versions of the metadata service.
pub(super) fn is_version(segment: &str) -> bool {
    let date = |bytes: &[u8]| {
        bytes.len() == 10
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    matches!(segment, "latest" | "1.0") || date(segment.as_bytes())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/latest/meta-data/iam/security-credentials", Route::Listing)]
    #[case("/latest/meta-data/iam/security-credentials/", Route::Listing)]
    #[case("/2021-07-15/meta-data/iam/security-credentials/", Route::Listing)]
    #[case("/1.0/meta-data/iam/security-credentials/", Route::Listing)]
    #[case("/latest/meta-data/iam/security-credentials/R", Route::Credentials("R".into()))]
    #[case("/latest/meta-data/iam/security-credentials/R/", Route::Credentials("R".into()))]
    #[case("/latest/meta-data/iam/security-credentials/a/b/R", Route::Credentials("a/b/R".into()))]
    #[case("/latest/meta-data/iam/security-credentials/a%40b", Route::Credentials("a@b".into()))]
    #[case("/latest/api/token", Route::Token)]
    #[case("/latest/api/token/", Route::Other)]
    #[case("/Latest/meta-data/iam/security-credentials/", Route::Other)]
    #[case("/latest/meta-data/IAM/security-credentials/", Route::Other)]
    #[case("//latest/meta-data/iam/security-credentials/", Route::Other)]
    #[case("/latest//meta-data/iam/security-credentials/", Route::Other)]
    #[case("/latest/meta-data/iam%2fsecurity-credentials/", Route::Other)]
    #[case("/latest/./meta-data/iam/security-credentials/", Route::Other)]
    #[case("/latest/meta-data/iam/security-credentialsX", Route::Other)]
    #[case("/latest/meta-data/iam/security-credentials/%ff", Route::Other)]
    #[case("/9999/meta-data/iam/security-credentials/", Route::Other)]
    #[case("/2021-7-15/meta-data/iam/security-credentials/", Route::Other)]
    #[case("/latest", Route::Other)]
    #[case("*", Route::Other)]
    #[case("", Route::Other)]
    fn a_target_is_judged_as_it_was_sent(#[case] path: &str, #[case] route: Route) {
        assert_eq!(Route::of(path), route);
    }
}
