use std::fmt;

use super::{BaseArn, DefaultRole, Role, RoleError, VaultRole};

/// What a pod asks for by its annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A role of AWS.
    Aws(Role),
    /// A role of Vault's AWS secrets engine.
    Vault(VaultRole),
}

// === impl Wanted ===

impl Wanted {
    /// What a pod with these two annotations asks for. One that names both kinds of role gets neither: which of them its
    /// author meant cannot be known, and the other may be the mightier one. An annotation that is empty names nothing,
    /// yet it is there: the default role is not for such a pod.
    ///
    /// # Errors
    /// See [`RoleError`].
    pub fn of_pod(
        role: Option<&str>,
        vault_role: Option<&str>,
        default: Option<&DefaultRole>,
        base: Option<&BaseArn>,
    ) -> Result<Self, RoleError> {
        let says = |annotation: Option<&str>| annotation.is_some_and(|text| !text.trim().is_empty());
        match vault_role {
            None => Role::of_pod(role, default, base).map(Self::Aws),
            Some(_) if !says(vault_role) => Role::resolve(role, base).map(Self::Aws),
            Some(_) if says(role) => Err(RoleError::Ambiguous),
            Some(name) => VaultRole::new(name)
                .map(Self::Vault)
                .map_err(|_| RoleError::MalformedVault),
        }
    }

    /// Its name in the pod's listing: of an AWS role [`Role::name`], of a Vault role its name in Vault.
    pub fn name(&self) -> &str {
        match self {
            Self::Aws(role) => &role.name,
            Self::Vault(role) => role.name(),
        }
    }

    /// Whether `asked`, from a request's path, means this role.
    pub fn is_called(&self, asked: &str) -> bool {
        match self {
            Self::Aws(role) => role.is_called(asked),
            Self::Vault(role) => asked == role.name(),
        }
    }
}

impl fmt::Display for Wanted {
    /// The role's ARN, or `vault:<name>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws(role) => f.write_str(&role.arn),
            Self::Vault(role) => role.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::vault(None, Some("readonly"), Ok("vault:readonly"))]
    #[case::aws(Some("own"), None, Ok("arn:aws:iam::123456789012:role/own"))]
    #[case::neither(None, None, Ok("arn:aws:iam::123456789012:role/fallback"))]
    #[case::both(Some("own"), Some("readonly"), Err(RoleError::Ambiguous))]
    #[case::an_empty_vault_role_beside(Some("own"), Some(" "), Ok("arn:aws:iam::123456789012:role/own"))]
    #[case::an_empty_role_beside(Some(""), Some("readonly"), Ok("vault:readonly"))]
    #[case::an_empty_vault_role_alone(None, Some(""), Err(RoleError::Absent))]
    #[case::no_name(None, Some("../sys"), Err(RoleError::MalformedVault))]
    fn a_pod_gets_what_it_plainly_names(
        #[case] role: Option<&str>,
        #[case] vault_role: Option<&str>,
        #[case] wanted: Result<&str, RoleError>,
    ) {
        let base: BaseArn = "arn:aws:iam::123456789012:role/".parse().unwrap();
        let default: DefaultRole = "fallback".parse().unwrap();
        let found = Wanted::of_pod(role, vault_role, Some(&default), Some(&base));
        assert_eq!(found.map(|wanted| wanted.to_string()), wanted.map(str::to_owned));
    }
}
