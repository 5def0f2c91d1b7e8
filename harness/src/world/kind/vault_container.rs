//! Vault beside the cluster: a real dev server in a container, which nobody but the forwarder reaches.

use std::borrow::Cow;

use secrecy::{ExposeSecret as _, SecretString};
use testcontainers::{Image, core::WaitFor};

use super::{
    command::Program,
    containers::{Running, run},
    marks::Marks,
    options::VAULT_IMAGE,
};
use crate::{
    secrets::{learn, mask},
    world::{WorldError, random::random_text},
};

/// Where it listens.
pub(super) const VAULT_PORT: u16 = 8200;

/// What it says last before it serves, on its standard output.
const SERVES: &str = "Root Token:";

/// A dev server: unsealed, in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct VaultImage;

/// A dev server that runs.
pub(super) struct VaultContainer {
    pub(super) running: Running<VaultImage>,
    pub(super) root_token: SecretString,
    pub(super) unseal_key: SecretString,
    /// The version that it tells of itself.
    pub(super) version: String,
}

// === impl VaultImage ===

impl Image for VaultImage {
    fn name(&self) -> &str {
        VAULT_IMAGE.split_once(':').map_or(VAULT_IMAGE, |(name, _)| name)
    }

    fn tag(&self) -> &str {
        VAULT_IMAGE.split_once(':').map_or("latest", |(_, tag)| tag)
    }

    fn ready_conditions(&self) -> Vec<WaitFor> {
        vec![WaitFor::message_on_either_std(SERVES)]
    }

    fn env_vars(&self) -> impl IntoIterator<Item = (impl Into<Cow<'_, str>>, impl Into<Cow<'_, str>>)> {
        // A dev server locks no memory, and the image's entry point would give the program the right to.
        [("SKIP_SETCAP", "true"), ("VAULT_LOG_LEVEL", "debug")]
    }

    fn cmd(&self) -> impl IntoIterator<Item = impl Into<Cow<'_, str>>> {
        ["server", "-dev", "-dev-no-store-token"]
    }
}

// === impl VaultContainer ===

impl VaultContainer {
    /// Starts it; it serves when this returns.
    ///
    /// # Errors
    /// It cannot be started, or does not say what a dev server says.
    pub(super) async fn start(marks: &Marks) -> Result<Self, WorldError> {
        // A server takes no id of its own form for its first token.
        let root_token: SecretString = format!("rolecall-{}", random_text('a', 24)).into();
        learn(root_token.expose_secret());
        let environment = vec![(
            "VAULT_DEV_ROOT_TOKEN_ID".to_owned(),
            root_token.expose_secret().to_owned(),
        )];
        let running = run(VaultImage, "vault", marks, environment).await?;
        let said = Program::docker(["logs", running.id()]).ask().await?;
        let said = format!("{}{}", said.stdout, said.stderr);
        let unseal_key = word_after(&said, "Unseal Key:").ok_or_else(|| {
            let last: Vec<&str> = said.lines().rev().take(10).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            WorldError::new(format!(
                "the container of {VAULT_IMAGE} tells no unseal key, as a dev server does; it said:\n     {}",
                mask(&last.join("\n     "))
            ))
        })?;
        learn(unseal_key);
        let version = word_after(&said, "Version: Vault v").map(|version| version.trim_end_matches(','));
        Ok(Self {
            unseal_key: unseal_key.to_owned().into(),
            version: version.unwrap_or("unknown").to_owned(),
            running,
            root_token,
        })
    }
}

/// The first word behind a text.
fn word_after<'a>(said: &'a str, text: &str) -> Option<&'a str> {
    let (_, rest) = said.split_once(text)?;
    rest.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dev_server_says_tells_its_key_and_its_version() {
        let said = "             Cgo: disabled\n         Version: Vault v1.21.4, built 2026-01-01T00:00:00Z\n\nUnseal Key: \
                    c2VjcmV0IG9mIHRoZSBzZXJ2ZXI=\nRoot Token: rolecall-1\n";
        assert_eq!(word_after(said, "Unseal Key:"), Some("c2VjcmV0IG9mIHRoZSBzZXJ2ZXI="));
        assert_eq!(word_after(said, "Version: Vault v"), Some("1.21.4,"));
        assert_eq!(word_after(said, "no such text"), None);
    }
}
