use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::SetOnce;

use super::is_role_arn;

/// The prefix of roles that are given by name: `arn:<partition>:iam::<account>:role/[path/]`. Ends with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseArn(String);

/// `--base-role-arn` is not the beginning of a role's ARN.
#[derive(Debug, thiserror::Error)]
#[error("not the beginning of a role's ARN, as arn:aws:iam::123456789012:role/")]
pub struct InvalidBaseArn;

/// Where the base ARN comes from.
#[derive(Clone, Debug)]
pub enum Base {
    /// There is none: roles are given by their ARNs.
    None,
    /// It was given.
    Given(BaseArn),
    /// The metadata service is asked for it.
    Discovered(Arc<Discovery>),
}

/// A base ARN that is being looked for.
#[derive(Debug, Default)]
pub struct Discovery {
    found: SetOnce<BaseArn>,
    failure: Mutex<Option<String>>,
}

/// The base ARN is still being looked for; which role a name means, and which a list allows, is not known before.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the base ARN has not been discovered yet")]
pub struct NotDiscovered;

// === impl BaseArn ===

impl BaseArn {
    /// The prefix, with its last slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The base of all roles in the account of an instance profile, in the profile's own partition; none if the text
    /// is no instance profile's ARN.
    pub fn of_instance_profile(arn: &str) -> Option<Self> {
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        match fields[..] {
            ["arn", partition, "iam", "", account, profile] if profile.starts_with("instance-profile/") => {
                format!("arn:{partition}:iam::{account}:role/").parse().ok()
            }
            _ => None,
        }
    }
}

impl FromStr for BaseArn {
    type Err = InvalidBaseArn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let base = if text.ends_with('/') {
            text.to_owned()
        } else {
            format!("{text}/")
        };
        if is_role_arn(&format!("{base}x")) {
            Ok(Self(base))
        } else {
            Err(InvalidBaseArn)
        }
    }
}

impl fmt::Display for BaseArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Base ===

impl Base {
    /// The base ARN, if there is to be one. Takes no lock.
    ///
    /// # Errors
    /// While it is being looked for.
    pub fn get(&self) -> Result<Option<&BaseArn>, NotDiscovered> {
        match self {
            Self::None => Ok(None),
            Self::Given(base) => Ok(Some(base)),
            Self::Discovered(discovery) => discovery.found.get().map(Some).ok_or(NotDiscovered),
        }
    }

    /// Ends once it is known.
    pub async fn known(&self) {
        if let Self::Discovered(discovery) = self {
            discovery.found.wait().await;
        }
    }

    /// Why it is not known, as far as that is known; none if it is.
    pub fn missing(&self) -> Option<String> {
        let Self::Discovered(discovery) = self else { return None };
        if discovery.found.initialized() {
            return None;
        }
        let failure = discovery.failure.lock().unwrap_or_else(PoisonError::into_inner);
        Some(match &*failure {
            Some(failure) => format!("the base ARN has not been discovered: {failure}"),
            None => "the base ARN has not been discovered".to_owned(),
        })
    }
}

// === impl Discovery ===

impl Discovery {
    /// It was found. Only the first call counts.
    pub fn found(&self, base: BaseArn) {
        let _ = self.found.set(base);
    }

    /// An attempt failed.
    pub fn failed(&self, reason: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "arn:aws:iam::123456789012:instance-profile/node",
        Some("arn:aws:iam::123456789012:role/")
    )]
    #[case(
        "arn:aws-cn:iam::123456789012:instance-profile/kops/nodes",
        Some("arn:aws-cn:iam::123456789012:role/")
    )]
    #[case(
        "arn:aws-us-gov:iam::123456789012:instance-profile/a",
        Some("arn:aws-us-gov:iam::123456789012:role/")
    )]
    #[case("arn:aws:iam::123456789012:role/node", None)]
    #[case("arn:aws:iam::not-an-account:instance-profile/node", None)]
    #[case("arn:aws:iam:eu-west-1:123456789012:instance-profile/node", None)]
    #[case("arn:aws:sts::123456789012:instance-profile/node", None)]
    #[case("", None)]
    fn the_base_is_the_account_of_the_instance_profile(#[case] profile: &str, #[case] base: Option<&str>) {
        let found = BaseArn::of_instance_profile(profile);
        assert_eq!(found.as_ref().map(BaseArn::as_str), base);
    }

    #[test]
    fn what_is_being_looked_for_is_neither_absent_nor_known() {
        let discovery = Arc::new(Discovery::default());
        let base = Base::Discovered(discovery.clone());
        assert_eq!(base.get(), Err(NotDiscovered));
        discovery.failed("404".to_owned());
        assert!(base.missing().is_some_and(|text| text.contains("404")));
        discovery.found("arn:aws:iam::123456789012:role/".parse().unwrap());
        assert!(base.get().is_ok_and(|base| base.is_some()));
        assert_eq!(base.missing(), None);
        assert_eq!(Base::None.get(), Ok(None));
    }
}
