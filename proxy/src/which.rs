//! Which role a pod asks for: its annotation, or the default role, resolved with the base ARN; or a role of Vault.

mod base;
mod default_role;
mod vault_role;
mod wanted;

pub use base::{Base, BaseArn, Discovery, InvalidBaseArn, NotDiscovered};
pub use default_role::{DefaultRole, InvalidDefaultRole};
pub use vault_role::{InvalidVaultRole, VaultRole};
pub use wanted::Wanted;

/// A role that a pod asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// Its name in the pod's listing: what follows the base ARN, path included, or the whole ARN if it is elsewhere
    /// (as kube2iam).
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

/// The annotation names no role.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RoleError {
    /// There is no annotation, or it is empty.
    #[error("the pod has no role annotation")]
    Absent,
    /// The annotation is neither a role's name nor its ARN.
    #[error("the pod's role annotation is neither a role's name nor its ARN")]
    Malformed,
    /// A name alone, and nothing says in which account.
    #[error(
        "the pod's role annotation is a name; give --base-role-arn or --auto-discover-base-arn, or annotate the whole ARN"
    )]
    NoBase,
    /// The Vault annotation is no name that a Vault role can have.
    #[error("the pod's Vault role annotation is not the name of a Vault role")]
    MalformedVault,
    /// Both annotations name a role.
    #[error("the pod names an AWS role and a Vault role; remove one of the two annotations")]
    Ambiguous,
    /// A Vault role, and no Vault.
    #[error("the pod's annotation names a Vault role, and there is no Vault; start with --vault-addr")]
    NoVault,
}

impl Role {
    /// The role of a pod with this annotation: what it names, or the default role if there is no annotation at all. An
    /// annotation that is there and empty asks for none.
    ///
    /// # Errors
    /// See [`RoleError`].
    pub fn of_pod(
        annotation: Option<&str>,
        default: Option<&DefaultRole>,
        base: Option<&BaseArn>,
    ) -> Result<Self, RoleError> {
        Self::resolve(annotation.or(default.map(DefaultRole::as_str)), base)
    }

    /// Resolves the pod's annotation. White space around it, which YAML's block scalars leave, is not part of it.
    ///
    /// # Errors
    /// See [`RoleError`].
    pub fn resolve(annotation: Option<&str>, base: Option<&BaseArn>) -> Result<Self, RoleError> {
        let annotation = annotation
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .ok_or(RoleError::Absent)?;
        let arn = if annotation.starts_with("arn:") {
            annotation.to_owned()
        } else {
            // IAM paths begin with a slash; a name may be written so.
            let name = annotation.strip_prefix('/').unwrap_or(annotation);
            format!("{}{name}", base.ok_or(RoleError::NoBase)?)
        };
        if !is_role_arn(&arn) {
            return Err(RoleError::Malformed);
        }
        let name = base
            .and_then(|base| arn.strip_prefix(base.as_str()))
            .unwrap_or(&arn)
            .to_owned();
        Ok(Self { name, arn })
    }

    /// Whether `asked`, from a request's path, means this role.
    pub fn is_called(&self, asked: &str) -> bool {
        asked == self.name || asked == self.arn
    }

    /// The last segment of the ARN: the role's name without its path.
    pub fn last_segment(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }
}

/// What IAM allows in a role's name and path (`RoleName`, `path` of CreateRole), segment by segment.
fn is_role_arn(arn: &str) -> bool {
    let Some((head, path)) = arn.split_once('/') else {
        return false;
    };
    let fields: Vec<&str> = head.split(':').collect();
    let ["arn", partition, "iam", "", account, "role"] = fields[..] else {
        return false;
    };
    let segment = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c));
    let plain = |s: &str| s.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !s.is_empty();
    plain(partition)
        && !account.is_empty()
        && account.chars().all(|c| c.is_ascii_digit())
        && path.split('/').all(|s| segment(s) && s != "." && s != "..")
        && arn.len() <= 2048
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("MyPodRole", "MyPodRole", "arn:aws:iam::123456789012:role/MyPodRole")]
    #[case(" MyPodRole\n", "MyPodRole", "arn:aws:iam::123456789012:role/MyPodRole")]
    #[case("/team/reader", "team/reader", "arn:aws:iam::123456789012:role/team/reader")]
    #[case(
        "arn:aws:iam::123456789012:role/team/x",
        "team/x",
        "arn:aws:iam::123456789012:role/team/x"
    )]
    #[case(
        "arn:aws:iam::999999999999:role/x",
        "arn:aws:iam::999999999999:role/x",
        "arn:aws:iam::999999999999:role/x"
    )]
    fn a_role_is_listed_by_what_follows_the_base(#[case] text: &str, #[case] name: &str, #[case] arn: &str) {
        let base: BaseArn = "arn:aws:iam::123456789012:role".parse().unwrap();
        let role = Role::resolve(Some(text), Some(&base)).unwrap();
        assert_eq!((role.name.as_str(), role.arn.as_str()), (name, arn));
        assert!(role.is_called(name) && role.is_called(arn) && !role.is_called("other"));
    }

    #[rstest]
    #[case(None, RoleError::Absent)]
    #[case(Some(""), RoleError::Absent)]
    #[case(Some("  "), RoleError::Absent)]
    #[case(Some("a b"), RoleError::Malformed)]
    #[case(Some("a//b"), RoleError::Malformed)]
    #[case(Some("../x"), RoleError::Malformed)]
    #[case(Some("x/"), RoleError::Malformed)]
    #[case(Some("{{NodeIamRoleARN}}"), RoleError::Malformed)]
    #[case(Some("arn:aws:iam::1:user/x"), RoleError::Malformed)]
    #[case(Some("x\r\nInjected: 1"), RoleError::Malformed)]
    fn what_names_no_role_is_none(#[case] text: Option<&str>, #[case] error: RoleError) {
        let base: BaseArn = "arn:aws:iam::123456789012:role/".parse().unwrap();
        assert_eq!(Role::resolve(text, Some(&base)), Err(error));
    }

    #[test]
    fn a_name_without_a_base_is_no_role() {
        assert_eq!(Role::resolve(Some("x"), None), Err(RoleError::NoBase));
    }
}
