use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use super::VaultAddr;

/// How Vault is reached and asked.
#[derive(Clone, Debug)]
pub struct VaultSettings {
    /// Where it is.
    pub address: VaultAddr,
    /// PEM file of the authorities that its certificate may come from; the operating system's if there is none.
    pub ca_cert: Option<PathBuf>,
    /// Where the Kubernetes auth method is mounted.
    pub auth_mount: EngineMount,
    /// The role of the auth method; named like the Vault role if there is none.
    pub auth_role: Option<String>,
    /// Where the AWS secrets engine is mounted.
    pub mount: EngineMount,
    /// The audience of service account tokens for Vault.
    pub audience: String,
    /// How long getting keys for a pod may take, from its service account's token to the lease.
    pub timeout: Duration,
}

/// Where an engine or an auth method is mounted: path segments, without slashes around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineMount(String);

/// The mount is no path.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a mount's path: segments of letters, digits, _ . and - with slashes between them, as aws or team/aws")]
pub struct InvalidMount;

// === impl VaultSettings ===

impl VaultSettings {
    /// The auth role that a pod logs in with for a Vault role of that name.
    pub fn auth_role<'a>(&'a self, vault_role: &'a str) -> &'a str {
        self.auth_role.as_deref().unwrap_or(vault_role)
    }

    /// `auth/<mount>/login`.
    pub(super) fn login_path(&self) -> String {
        format!("auth/{}/login", self.auth_mount)
    }

    /// `<engine>/sts/<role>`.
    pub(super) fn sts_path(&self, vault_role: &str) -> String {
        format!("{}/sts/{vault_role}", self.mount)
    }

    /// `<engine>/creds/<role>`.
    pub(super) fn creds_path(&self, vault_role: &str) -> String {
        format!("{}/creds/{vault_role}", self.mount)
    }
}

// === impl EngineMount ===

impl FromStr for EngineMount {
    type Err = InvalidMount;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.trim_matches('/');
        let segment = |segment: &str| {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(legal)
        };
        if path.split('/').all(segment) {
            Ok(Self(path.to_owned()))
        } else {
            Err(InvalidMount)
        }
    }
}

impl fmt::Display for EngineMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("aws", Some("aws"))]
    #[case("/team/aws/", Some("team/aws"))]
    #[case("", None)]
    #[case("a//b", None)]
    #[case("../sys", None)]
    #[case("a?b", None)]
    fn a_mount_is_plain_segments(#[case] text: &str, #[case] path: Option<&str>) {
        let mount = text.parse::<EngineMount>().ok().map(|mount| mount.to_string());
        assert_eq!(mount.as_deref(), path);
    }
}
