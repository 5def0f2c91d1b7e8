use std::str::FromStr;

use super::{BaseArn, Role, RoleError};

/// The role of pods that have no role annotation, by name or ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultRole(String);

/// `--default-role` names no role.
#[derive(Debug, thiserror::Error)]
#[error("neither a role's name nor its ARN")]
pub struct InvalidDefaultRole;

// === impl DefaultRole ===

impl DefaultRole {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a name, which means nothing without a base ARN.
    pub fn is_name(&self) -> bool {
        Role::resolve(Some(&self.0), None) == Err(RoleError::NoBase)
    }
}

impl FromStr for DefaultRole {
    type Err = InvalidDefaultRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Any base will do: it only stands for the account, which is given or found elsewhere.
        let base = "arn:aws:iam::000000000000:role/".parse::<BaseArn>().ok();
        Role::resolve(Some(text), base.as_ref()).map_err(|_| InvalidDefaultRole)?;
        Ok(Self(text.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("reader", Some(true))]
    #[case("/team/reader", Some(true))]
    #[case("arn:aws:iam::123456789012:role/reader", Some(false))]
    #[case("", None)]
    #[case("not a role", None)]
    #[case("arn:aws:iam::123456789012:user/x", None)]
    fn a_default_role_is_a_roles_name_or_arn(#[case] text: &str, #[case] is_name: Option<bool>) {
        let role = text.parse::<DefaultRole>().ok();
        assert_eq!(role.as_ref().map(DefaultRole::is_name), is_name);
    }

    #[rstest]
    #[case::absent(None, Ok("fallback"))]
    #[case::own(Some("own"), Ok("own"))]
    #[case::empty(Some(""), Err(RoleError::Absent))]
    #[case::blank(Some(" \n"), Err(RoleError::Absent))]
    #[case::malformed(Some("not a role"), Err(RoleError::Malformed))]
    fn the_default_is_for_pods_without_an_annotation_alone(
        #[case] annotation: Option<&str>,
        #[case] name: Result<&str, RoleError>,
    ) {
        let base: BaseArn = "arn:aws:iam::123456789012:role/".parse().unwrap();
        let default: DefaultRole = "fallback".parse().unwrap();
        let role = Role::of_pod(annotation, Some(&default), Some(&base));
        assert_eq!(
            role.as_ref().map(|role| role.name.as_str()).map_err(|error| *error),
            name
        );
    }
}
