//! Vault as a whole, through its HTTP API: sealed and unsealed, and as it was before a scenario told it something.

use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::VaultOperator;
use crate::world::WorldError;

/// Policies of every Vault.
const STANDING: [&str; 2] = ["default", "root"];

// === impl VaultOperator: the whole server ===

impl VaultOperator {
    /// Seals the server.
    ///
    /// # Errors
    /// Vault was not reached, or refused.
    pub(crate) async fn seal(&self) -> Result<(), WorldError> {
        self.ask(Method::PUT, "sys/seal", Some(json!({}))).await.map(drop)
    }

    /// Unseals the server; one that is not sealed stays as it is.
    ///
    /// # Errors
    /// Vault was not reached, or wants another key.
    pub(crate) async fn unseal(&self, key: &SecretString) -> Result<(), WorldError> {
        let body = json!({ "key": key.expose_secret() });
        let status = self.ask(Method::PUT, "sys/unseal", Some(body)).await?;
        if status["sealed"] == json!(false) {
            return Ok(());
        }
        Err(WorldError::new("Vault stays sealed after it was given its unseal key"))
    }

    /// Takes away what scenarios mount and write. With the mounts go tokens and leases, and the IAM users of those.
    ///
    /// # Errors
    /// What could not be taken away.
    pub(crate) async fn clear(&self) -> Result<(), WorldError> {
        // Tokens first: their leases end with them.
        if self.has("sys/auth", "kubernetes/").await? {
            self.ask(Method::DELETE, "sys/auth/kubernetes", None).await?;
        }
        if self.has("sys/mounts", "aws/").await? {
            self.unmount_aws().await?;
        }
        let listed = self.ask(Method::GET, "sys/policies/acl?list=true", None).await?;
        let names = listed["data"]["keys"].as_array().into_iter().flatten();
        for name in names.filter_map(Value::as_str).filter(|name| !STANDING.contains(name)) {
            self.ask(Method::DELETE, &format!("sys/policies/acl/{name}"), None)
                .await?;
        }
        Ok(())
    }

    /// Vault keeps a mount whose leases it cannot end, as when AWS no longer knows the key that it works with.
    async fn unmount_aws(&self) -> Result<(), WorldError> {
        let refused = match self.ask(Method::DELETE, "sys/mounts/aws", None).await {
            Ok(_) => return Ok(()),
            Err(refused) => refused,
        };
        tracing::warn!("leases of Vault are forgotten, which it cannot end: {refused}");
        self.ask(Method::PUT, "sys/leases/revoke-force/aws", Some(json!({})))
            .await?;
        self.ask(Method::DELETE, "sys/mounts/aws", None).await.map(drop)
    }

    async fn has(&self, list: &str, mount: &str) -> Result<bool, WorldError> {
        let listed = self.ask(Method::GET, list, None).await?;
        Ok(!listed["data"][mount].is_null())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rolecall_clock::Clock;
    use rolecall_vault::{CancellationToken, Door, Settings, Vault};

    use super::*;
    use crate::world::operator::{Documents, VaultAccess};

    /// The operator of an emulated server, which answers as the real one was measured to.
    async fn operator() -> (VaultOperator, Vault) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let vault = Vault::new(Settings::dev(Clock::new(), "a-root-token"));
        let server = vault.clone();
        tokio::spawn(async move { server.serve(listener, Door::Operator, CancellationToken::new()).await });
        let access = VaultAccess {
            address: format!("http://{address}"),
            root_token: "a-root-token".to_owned().into(),
            kubernetes_host: "https://172.18.0.2:6443".to_owned(),
            kubernetes_ca: String::new(),
            reviewer: "a.b.c".to_owned().into(),
            aws: "http://172.18.0.9:4566".to_owned(),
            region: "us-east-1".to_owned(),
        };
        let documents = Documents {
            account: "123456789012".to_owned(),
            accounts: Default::default(),
            node_role: "nodes".to_owned(),
            issuer: None,
            fixtures: PathBuf::new(),
        };
        (VaultOperator::new(access, documents), vault)
    }

    async fn policies(operator: &VaultOperator) -> Value {
        let listed = operator.ask(Method::GET, "sys/policies/acl?list=true", None).await;
        listed.expect("policies")["data"]["keys"].clone()
    }

    #[tokio::test]
    async fn nothing_is_left_of_what_a_scenario_mounted_and_wrote_and_the_next_one_can_mount_it_again() {
        let (operator, vault) = operator().await;
        for _ in 0..2 {
            operator.prepare().await.expect("mounts");
            let policy = json!({"policy": "path \"aws/creds/x\" { capabilities = [\"read\"] }"});
            let written = operator.ask(Method::POST, "sys/policies/acl/mine", Some(policy)).await;
            written.expect("a policy");
            assert_eq!(policies(&operator).await, json!(["default", "mine", "root"]));
            operator.clear().await.expect("it lets go");
            assert_eq!(policies(&operator).await, json!(["default", "root"]));
            assert!(!operator.has("sys/mounts", "aws/").await.expect("mounts"));
            assert!(!operator.has("sys/auth", "kubernetes/").await.expect("methods"));
        }
        operator.clear().await.expect("nothing is no failure");
        assert_eq!(vault.leases(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_sealed_server_refuses_until_it_is_unsealed_with_its_own_key() {
        let (operator, vault) = operator().await;
        let key = vault.unseal_key().expect("a key");
        operator.unseal(&key).await.expect("one that is open stays so");
        operator.seal().await.expect("sealed");
        let refused = operator.clear().await.expect_err("it is sealed").to_string();
        assert!(refused.contains("Vault is sealed"), "{refused}");
        let other: SecretString = "00".repeat(33).into();
        operator.unseal(&other).await.expect_err("another key");
        operator.unseal(&key).await.expect("unsealed");
        operator.clear().await.expect("it answers again");
    }
}
