//! Vault in kind: what a run knows of its server, and what one scenario does with it.

use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::{ConfigMap, ServiceAccount},
    rbac::v1::ClusterRoleBinding,
};
use kube::{Api, Client, api::PostParams};
use rolecall_vault::Entry;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    KindWorld,
    cluster::KindCluster,
    containers::{Containers, VAULT_OPERATOR_PORT},
    daemon_set::{apply, object},
    exec::PROGRAM,
    marks::{Marks, NAMESPACE},
    vault_container::VAULT_PORT,
};
use crate::{
    secrets::learn,
    world::{
        WorldError,
        operator::{Agent, Documents, VaultAccess, VaultOperator},
    },
};

/// The service account that Vault reviews tokens with, and the binding of its rights.
pub(super) const REVIEWER: &str = "rolecall-vault-reviewer";
/// How long it may, in seconds: longer than any run.
const REVIEWS_FOR: i64 = 7 * 24 * 3600;
/// Where the API server listens in a control plane's container.
const API_SERVER_PORT: u16 = 6443;

/// What a run's scenarios need to know of its Vault.
#[derive(Clone, Debug)]
pub(super) struct VaultGround {
    /// Where pods and proxies find it: at the forwarder.
    pub(super) address: String,
    /// But for the region, which a scenario says.
    access: VaultAccess,
    unseal_key: SecretString,
}

/// Vault in one scenario.
#[derive(Debug)]
pub(super) struct KindVault {
    pub(super) operator: VaultOperator,
    unseal_key: SecretString,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// The number of the journal's first entry that is this scenario's.
    from: u64,
    /// The number of the journal's next entry when the server was sealed, while it is.
    sealed_at: Option<u64>,
}

// === impl VaultGround ===

impl VaultGround {
    /// What is to be known of the run's Vault; none where there is none. Makes the account that it reviews tokens with.
    ///
    /// # Errors
    /// What the API server says.
    pub(super) async fn of(
        cluster: &KindCluster,
        containers: &Containers,
        aws: &str,
        marks: &Marks,
    ) -> Result<Option<Self>, WorldError> {
        let Some(vault) = &containers.vault else {
            return Ok(None);
        };
        let (reviewer, kubernetes_ca) = tokio::try_join!(reviewer(&cluster.client, marks), authority(&cluster.client))?;
        learn(reviewer.expose_secret());
        let at = |port: u16| format!("http://{}:{port}", containers.front());
        Ok(Some(Self {
            address: at(VAULT_PORT),
            access: VaultAccess {
                address: at(VAULT_OPERATOR_PORT),
                root_token: vault.root_token.clone(),
                kubernetes_host: format!("https://{}:{API_SERVER_PORT}", cluster.node("master-1")?.address),
                kubernetes_ca,
                reviewer,
                aws: aws.to_owned(),
                region: String::new(),
            },
            unseal_key: vault.unseal_key.clone(),
        }))
    }

    /// Vault for one scenario; whatever one before has told it is gone.
    ///
    /// # Errors
    /// Vault does not answer, or lets go of something not.
    pub(super) async fn begin(&self, region: &str, documents: Documents) -> Result<KindVault, WorldError> {
        let access = VaultAccess {
            region: region.to_owned(),
            ..self.access.clone()
        };
        let vault = KindVault {
            operator: VaultOperator::new(access, documents),
            unseal_key: self.unseal_key.clone(),
            state: Mutex::default(),
        };
        vault.clear().await?;
        Ok(vault)
    }

    /// How the program in the tools' image asks it for a pod.
    pub(super) fn agent(&self) -> Agent {
        Agent {
            command: format!("{PROGRAM} proxy credential-process"),
            vault: self.address.clone(),
        }
    }
}

// === impl KindVault ===

impl KindVault {
    /// Ends what this scenario has made in Vault, and the IAM users of its leases.
    ///
    /// # Errors
    /// Vault does not answer, or lets go of something not.
    pub(super) async fn clear(&self) -> Result<(), WorldError> {
        self.operator.unseal(&self.unseal_key).await?;
        self.operator.clear().await
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

// === impl KindWorld: Vault ===

impl KindWorld {
    /// The scenario's Vault.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn vault(&self) -> Result<&KindVault, WorldError> {
        let vault = self.vault.as_ref();
        vault.ok_or_else(|| WorldError::new("there is no Vault in this world"))
    }

    /// What proxies and pods of this scenario asked Vault, from this number on; nothing where there is none.
    pub(super) async fn vault_entries(&self, from: u64) -> Result<Vec<Entry>, WorldError> {
        let Some(vault) = &self.vault else {
            return Ok(Vec::new());
        };
        let entries = self.ground.control.vault_journal(from.max(vault.state().from)).await;
        entries.map_err(|error| self.steering(&error))
    }

    /// The number that Vault's next entry will have, or one below it.
    pub(super) async fn vault_mark(&self, from: u64) -> Result<u64, WorldError> {
        let entries = self.vault_entries(from).await?;
        Ok(entries.last().map_or(from, |entry| entry.number + 1))
    }

    /// What was asked by now is none of this scenario's: subjects of the one before revoke their tokens as they end.
    pub(super) async fn begin_vault_journal(&self) -> Result<(), WorldError> {
        let from = self.vault_mark(0).await?;
        if let Some(vault) = &self.vault {
            vault.change(|state| state.from = from);
        }
        Ok(())
    }

    /// Seals the server itself, as its operator does.
    pub(super) async fn seal_vault(&self) -> Result<(), WorldError> {
        let vault = self.vault()?;
        vault.operator.seal().await?;
        let mark = self.vault_mark(vault.state().from).await?;
        vault.change(|state| state.sealed_at = Some(mark));
        Ok(())
    }

    /// Unseals the server if it was sealed; how many requests met that.
    pub(super) async fn unseal_vault(&self) -> Result<u32, WorldError> {
        let vault = self.vault()?;
        let Some(mark) = vault.state().sealed_at else {
            return Ok(0);
        };
        vault.operator.unseal(&vault.unseal_key).await?;
        vault.change(|state| state.sealed_at = None);
        let met = self.vault_entries(mark).await?;
        let met = met.iter().filter(|entry| entry.status == 503).count();
        Ok(u32::try_from(met).unwrap_or(u32::MAX))
    }
}

/// A token that may review others, of an account of its own.
async fn reviewer(client: &Client, marks: &Marks) -> Result<SecretString, WorldError> {
    let labels = marks.labels();
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), NAMESPACE);
    let account: ServiceAccount =
        object(json!({"metadata": {"name": REVIEWER, "namespace": NAMESPACE, "labels": labels}}))?;
    let binding: ClusterRoleBinding = object(json!({
        "metadata": {"name": REVIEWER, "labels": labels},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
        "subjects": [{"kind": "ServiceAccount", "name": REVIEWER, "namespace": NAMESPACE}]
    }))?;
    let bindings = Api::all(client.clone());
    tokio::try_join!(apply(&accounts, &account), apply(&bindings, &binding))?;
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(REVIEWS_FOR),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let failed = |error: &kube::Error| WorldError::doing(format_args!("make a token of {NAMESPACE}/{REVIEWER}"), error);
    let answered = accounts
        .create_token_request(REVIEWER, &PostParams::default(), &request)
        .await
        .map_err(|error| failed(&error))?;
    let token = answered.status.and_then(|status| status.token);
    let none = || WorldError::new(format!("the API server made no token of {NAMESPACE}/{REVIEWER}"));
    token.map(Into::into).ok_or_else(none)
}

/// The cluster's authority, which its controller writes into every namespace.
async fn authority(client: &Client) -> Result<String, WorldError> {
    const NAME: &str = "kube-root-ca.crt";
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "kube-system");
    let found = maps.get(NAME).await;
    let found = found.map_err(|error| WorldError::doing(format_args!("get ConfigMap kube-system/{NAME}"), &error))?;
    let authority = found.data.and_then(|mut data| data.remove("ca.crt"));
    authority.ok_or_else(|| WorldError::new(format!("ConfigMap kube-system/{NAME} has no ca.crt")))
}
