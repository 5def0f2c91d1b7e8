use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::duration;
use crate::vault::{EngineMount, VaultAddr, VaultSettings};

/// Where Vault is and how it is asked. Nothing is read from the environment: VAULT_ADDR and its like are for people.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Roles of Vault")]
pub struct VaultFlags {
    /// Give pods keys of Vault's roles too, from the Vault at this http:// or https:// URL. Needs the permission to
    /// create `serviceaccounts/token` for the pods' service accounts, which is close to that of a cluster's
    /// administrator: whoever has it can act as any service account. Grant it only where this flag is given
    #[arg(long, value_name = "URL")]
    pub vault_addr: Option<VaultAddr>,

    /// PEM file of the authorities that Vault's certificate may come from; without it the operating system's
    #[arg(long, value_name = "FILE", requires = "vault_addr")]
    pub vault_ca_cert: Option<PathBuf>,

    /// Where Vault's Kubernetes auth method is mounted
    #[arg(long, value_name = "PATH", default_value = "kubernetes")]
    pub vault_auth_mount: EngineMount,

    /// Role of the auth method that all pods log in with; without it the one named like the Vault role
    #[arg(long, value_name = "NAME")]
    pub vault_auth_role: Option<String>,

    /// Where Vault's AWS secrets engine is mounted
    #[arg(long, value_name = "PATH", default_value = "aws")]
    pub vault_mount: EngineMount,

    /// Pod annotation that names the Vault role. A pod that names an AWS role as well gets neither
    #[arg(long, value_name = "KEY", default_value = "iam.amazonaws.com/vault-role")]
    pub vault_role_key: String,

    /// Audience of the service account tokens that Vault is given; the auth role's `audience`
    #[arg(long, value_name = "NAME", default_value = "vault")]
    pub vault_token_audience: String,

    /// How long getting keys for a pod may take, from its service account's token to the lease
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub vault_timeout: Duration,
}

// === impl VaultFlags ===

impl VaultFlags {
    /// How Vault is asked; none if it is not.
    pub fn settings(&self) -> Option<VaultSettings> {
        Some(VaultSettings {
            address: self.vault_addr.clone()?,
            ca_cert: self.vault_ca_cert.clone(),
            auth_mount: self.vault_auth_mount.clone(),
            auth_role: self.vault_auth_role.clone(),
            mount: self.vault_mount.clone(),
            audience: self.vault_token_audience.clone(),
            timeout: self.vault_timeout,
        })
    }
}
