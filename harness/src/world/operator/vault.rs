//! Vault, through its HTTP API: what `given.vault` says, in every world alike.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rolecall_scenario::{
    Spanned,
    model::{Document, Given, Pod, Vault},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{AwsOperator, Documents, KubernetesOperator, aws::IDLE};
use crate::world::WorldError;

/// Where the operator's Vault is, and what it is told of the world.
#[derive(Clone, Debug)]
pub(crate) struct VaultAccess {
    /// Scheme and authority as the operator reaches it.
    pub(crate) address: String,
    pub(crate) root_token: SecretString,
    /// The API server as Vault reaches it.
    pub(crate) kubernetes_host: String,
    /// Its authority, PEM.
    pub(crate) kubernetes_ca: String,
    /// Who may review tokens.
    pub(crate) reviewer: SecretString,
    /// AWS as Vault reaches it.
    pub(crate) aws: String,
    pub(crate) region: String,
}

/// The operator at Vault.
#[derive(Clone, Debug)]
pub(crate) struct VaultOperator {
    client: Client<HttpConnector, Full<Bytes>>,
    access: VaultAccess,
    documents: Documents,
    made: Arc<Mutex<Made>>,
}

/// What the operator has told Vault so far.
#[derive(Debug, Default)]
struct Made {
    /// The user that the AWS secrets engine works as.
    root: Option<String>,
    /// Whether the auth roles are the scenario's own.
    own_auth_roles: bool,
    /// Service accounts and namespaces of the pods that ask for a Vault role, by the role.
    askers: BTreeMap<String, BTreeSet<(String, String)>>,
}

/// The audience of the tokens that pods' logins carry.
pub(crate) const AUDIENCE: &str = "vault";

/// Vault is on this machine.
const DEADLINE: Duration = Duration::from_secs(30);

// === impl VaultOperator ===

impl VaultOperator {
    pub(crate) fn new(access: VaultAccess, documents: Documents) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build_http(),
            access,
            documents,
            made: Arc::default(),
        }
    }

    /// Mounts the AWS secrets engine and the Kubernetes auth method, and tells the latter where the API server is.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what Vault said.
    pub(crate) async fn prepare(&self) -> Result<(), WorldError> {
        let access = &self.access;
        self.write("sys/mounts/aws", json!({ "type": "aws" })).await?;
        self.write("sys/auth/kubernetes", json!({ "type": "kubernetes" }))
            .await?;
        let config = json!({
            "kubernetes_host": access.kubernetes_host,
            "kubernetes_ca_cert": access.kubernetes_ca,
            "token_reviewer_jwt": access.reviewer.expose_secret(),
            "disable_local_ca_jwt": true,
        });
        self.write("auth/kubernetes/config", config).await
    }

    /// Tells Vault what is new. Users are there already, pods come afterwards.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what Vault or IAM said.
    pub(crate) async fn apply(
        &self,
        given: &Given,
        aws: &AwsOperator,
        kubernetes: &KubernetesOperator,
    ) -> Result<(), WorldError> {
        if let Some(vault) = &given.vault {
            self.configure(vault, aws).await?;
        }
        self.admit(&given.pods, kubernetes).await
    }

    /// Tells Vault what a scenario says of it. The users must be there.
    async fn configure(&self, vault: &Vault, aws: &AwsOperator) -> Result<(), WorldError> {
        if let Some(word) = vault.restored.iter().next() {
            return Err(WorldError::new(format!(
                "`{word}: null` cannot take away what Vault was told; name what it is to be instead"
            )));
        }
        for (name, file) in &vault.policies {
            let policy = self.documents.text(&Document::File(file.value.clone()))?;
            self.write(&format!("sys/policies/acl/{name}"), json!({ "policy": policy }))
                .await?;
        }
        if let Some(root) = &vault.root {
            self.work_as(&root.value, aws).await?;
        }
        if vault.lease.is_some() || vault.lease_max.is_some() {
            // Vault wants both; one that is not said is the other.
            let lease = vault.lease.or(vault.lease_max).unwrap_or_default();
            let longest = vault.lease_max.unwrap_or(lease).max(lease);
            let seconds = |time: Duration| format!("{}s", time.as_secs());
            let body = json!({ "lease": seconds(lease), "lease_max": seconds(longest) });
            self.write("aws/config/lease", body).await?;
        }
        for (name, role) in &vault.roles {
            self.write(&format!("aws/roles/{name}"), self.with_accounts(role)?)
                .await?;
        }
        if let Some(roles) = &vault.auth_roles {
            self.made().own_auth_roles = true;
            for (name, role) in roles {
                let path = format!("auth/kubernetes/role/{name}");
                self.write(&path, self.with_accounts(role)?).await?;
            }
        }
        Ok(())
    }

    /// Lets the pods that ask for a Vault role log in, unless the scenario has auth roles of its own: one auth role for
    /// each Vault role, named like it and bound to the service accounts and namespaces of all such pods.
    async fn admit(
        &self,
        pods: &BTreeMap<String, Spanned<Pod>>,
        kubernetes: &KubernetesOperator,
    ) -> Result<(), WorldError> {
        let mut changed = BTreeMap::new();
        {
            let mut made = self.made();
            if made.own_auth_roles {
                return Ok(());
            }
            for (key, pod) in pods {
                let account = pod.service_account.clone().unwrap_or_else(|| "default".to_owned());
                let asker = (account, kubernetes.locate_new(key, pod).namespace);
                for role in [&pod.vault_role, &pod.vault_agent].into_iter().flatten() {
                    let askers = made.askers.entry(role.value.clone()).or_default();
                    if askers.insert(asker.clone()) {
                        changed.insert(role.value.clone(), askers.clone());
                    }
                }
            }
        }
        for (role, askers) in changed {
            let read = |path: &str| format!("path \"aws/{path}/{role}\" {{ capabilities = [\"read\"] }}\n");
            let policy = format!("rolecall-{role}");
            let text = read("creds") + &read("sts");
            self.write(&format!("sys/policies/acl/{policy}"), json!({ "policy": text }))
                .await?;
            let accounts: BTreeSet<&String> = askers.iter().map(|(account, _)| account).collect();
            let namespaces: BTreeSet<&String> = askers.iter().map(|(_, namespace)| namespace).collect();
            let body = json!({
                "bound_service_account_names": accounts,
                "bound_service_account_namespaces": namespaces,
                "token_policies": [policy],
                "audience": AUDIENCE,
            });
            self.write(&format!("auth/kubernetes/role/{role}"), body).await?;
        }
        Ok(())
    }

    /// Lets the AWS secrets engine work as this user, with an access key that is Vault's alone.
    async fn work_as(&self, user: &str, aws: &AwsOperator) -> Result<(), WorldError> {
        if self.made().root.as_deref() == Some(user) {
            return Ok(());
        }
        let keys = aws.new_key(user).await?;
        let access = &self.access;
        let body = json!({
            "access_key": keys.access_key_id,
            "secret_key": keys.secret_access_key,
            "region": access.region,
            "iam_endpoint": access.aws,
            "sts_endpoint": access.aws,
            "sts_region": access.region,
        });
        self.write("aws/config/root", body).await?;
        self.made().root = Some(user.to_owned());
        Ok(())
    }

    /// A role as it was written, with the accounts in its ARNs as numbers.
    fn with_accounts(&self, role: &Value) -> Result<Value, WorldError> {
        let text = self.documents.own(&role.to_string());
        serde_json::from_str(&text).map_err(|error| WorldError::doing("put account numbers into a Vault role", &error))
    }

    async fn write(&self, path: &str, body: Value) -> Result<(), WorldError> {
        self.ask(Method::POST, path, Some(body)).await.map(drop)
    }

    /// Asks Vault as root.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what Vault said; there is no answer.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, WorldError> {
        let what = format!("{} {path} of Vault", method.as_str().to_lowercase());
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.access.address))
            .header("x-vault-token", self.access.root_token.expose_secret())
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| WorldError::doing(&what, &error))?;
        let answer = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| WorldError::doing(&what, &error))?;
            let status = response.status();
            let body = response.into_body().collect().await;
            let body = body.map_err(|error| WorldError::doing(&what, &error))?.to_bytes();
            Ok::<_, WorldError>((status, body))
        };
        let (status, body) = tokio::time::timeout(DEADLINE, answer)
            .await
            .map_err(|_| WorldError::new(format!("{what}: no answer within {} s", DEADLINE.as_secs())))??;
        if status.is_success() {
            // Nothing is said where there is nothing to say.
            return Ok(serde_json::from_slice(&body).unwrap_or_default());
        }
        Err(refused(what, status, &body))
    }

    fn made(&self) -> std::sync::MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What Vault said against it.
fn refused(what: String, status: StatusCode, body: &[u8]) -> WorldError {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = said["errors"].as_array().into_iter().flatten();
    let errors: Vec<&str> = errors.filter_map(Value::as_str).collect();
    WorldError::Refused(crate::check::Refusal {
        what,
        message: format!("{}: {}", status.as_u16(), errors.join("; ")),
    })
}
