//! The operator's Kubernetes client, and namespaces.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
    runtime::wait::{await_condition, conditions},
};
use rolecall_scenario::{Spanned, model};
use serde_json::json;

use super::{Agent, Documents, PodStyle};
use crate::{check::Refusal, subject::Subject, world::WorldError};

/// The operator at the API server.
#[derive(Clone)]
pub(crate) struct KubernetesOperator {
    client: Client,
    pub(super) subject: Subject,
    /// What pods are made of here.
    pub(super) style: Arc<PodStyle>,
    /// For the account words in ARNs.
    pub(super) documents: Documents,
    /// The last address of each pod, for `ip: of:<pod>`.
    pub(super) addresses: Arc<Mutex<BTreeMap<PodName, String>>>,
    /// Every address that a pod was seen with, oldest first.
    pub(super) seen: Arc<Mutex<Vec<(String, PodName)>>>,
    /// Namespaces of pods whose key does not carry it.
    namespaces: Arc<Mutex<BTreeMap<String, String>>>,
    /// How a pod with `vault_agent` asks Vault.
    pub(super) agent: Option<Agent>,
}

/// How long a namespace may take to go.
const NAMESPACE_DEADLINE: Duration = Duration::from_secs(60);

/// A pod in Kubernetes' words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PodName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

// === impl KubernetesOperator ===

impl KubernetesOperator {
    pub(crate) fn new(client: Client, subject: Subject, style: PodStyle, documents: Documents) -> Self {
        Self {
            client,
            subject,
            style: Arc::new(style),
            seen: Arc::default(),
            documents,
            namespaces: Arc::default(),
            addresses: Arc::default(),
            agent: None,
        }
    }

    /// The same operator in a world with Vault, where pods can have a credential process.
    pub(crate) fn with_agent(mut self, agent: Agent) -> Self {
        self.agent = Some(agent);
        self
    }

    /// The pod that steps call by this key: `app`, or `team-b/app`.
    pub(crate) fn locate(&self, key: &str) -> PodName {
        let (namespace, name) = match key.split_once('/') {
            Some((namespace, name)) => (namespace.to_owned(), name),
            None => {
                let known = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
                (known.get(key).cloned().unwrap_or_else(|| "default".to_owned()), key)
            }
        };
        PodName {
            namespace,
            name: name.to_owned(),
        }
    }

    /// As [`locate`](Self::locate), for a pod that is still to be made.
    pub(crate) fn locate_new(&self, key: &str, spec: &model::Pod) -> PodName {
        match (&spec.namespace, key.contains('/')) {
            (Some(namespace), false) => PodName {
                namespace: namespace.clone(),
                name: key.to_owned(),
            },
            _ => self.locate(key),
        }
    }

    pub(super) fn remember(&self, pods: &BTreeMap<String, Spanned<model::Pod>>) {
        let mut known = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, spec) in pods {
            if let Some(namespace) = &spec.namespace {
                known.insert(key.clone(), namespace.clone());
            }
        }
    }

    /// The pod that has this address, or had it last.
    pub(crate) fn by_address(&self, address: std::net::IpAddr) -> Option<PodName> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let address = address.to_string();
        let mut having = seen.iter().rev().filter(|(had, _)| *had == address);
        having.next().map(|(_, pod)| pod.clone())
    }

    /// Makes namespaces and sets their annotations.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what the API server said.
    pub(crate) async fn apply_namespaces(
        &self,
        namespaces: &BTreeMap<String, Spanned<model::Namespace>>,
    ) -> Result<(), WorldError> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        for (name, spec) in namespaces {
            self.ensure_namespace(name).await?;
            let annotations = annotation_patch(
                &self.owned(self.subject.namespace_annotations(spec)),
                &self.subject.restored_namespace_annotations(&spec.restored),
            );
            if annotations.is_empty() {
                continue;
            }
            let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
            api.patch(name, &PatchParams::default(), &patch)
                .await
                .map_err(|error| refused(format!("annotate namespace {name}"), &error))?;
        }
        Ok(())
    }

    pub(super) async fn ensure_namespace(&self, name: &str) -> Result<(), WorldError> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let failed = |error: &kube::Error| refused(format!("get namespace {name}"), error);
        let mut found = api.get_opt(name).await.map_err(|error| failed(&error))?;
        // One that an earlier scenario left is on its way out.
        let leaving = found
            .as_ref()
            .filter(|found| found.metadata.deletion_timestamp.is_some());
        if let Some(uid) = leaving.and_then(|leaving| leaving.metadata.uid.clone()) {
            let gone = await_condition(api.clone(), name, conditions::is_deleted(&uid));
            match tokio::time::timeout(NAMESPACE_DEADLINE, gone).await {
                Ok(Ok(_)) => found = None,
                Ok(Err(error)) => return Err(WorldError::doing(format_args!("wait for namespace {name}"), &error)),
                Err(_) => {
                    return Err(WorldError::new(format!(
                        "namespace {name} is still being deleted after {} s",
                        NAMESPACE_DEADLINE.as_secs()
                    )));
                }
            }
        }
        if found.is_none() {
            let namespace = Namespace {
                metadata: ObjectMeta {
                    name: Some(name.to_owned()),
                    labels: Some(self.style.labels.clone()).filter(|labels| !labels.is_empty()),
                    ..ObjectMeta::default()
                },
                ..Namespace::default()
            };
            api.create(&PostParams::default(), &namespace)
                .await
                .map_err(|error| refused(format!("create namespace {name}"), &error))?;
        }
        Ok(())
    }

    /// Annotations with the accounts' numbers in their ARNs.
    pub(super) fn owned(&self, annotations: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let own = annotations.into_iter();
        own.map(|(key, value)| (key, self.documents.own(&value))).collect()
    }

    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }
}

/// A merge patch of annotations: what is set, and what goes (`null`).
pub(super) fn annotation_patch(
    set: &BTreeMap<String, String>,
    removed: &[&str],
) -> serde_json::Map<String, serde_json::Value> {
    let gone = removed.iter().map(|key| ((*key).to_owned(), serde_json::Value::Null));
    gone.chain(set.iter().map(|(key, value)| (key.clone(), value.clone().into())))
        .collect()
}

// === impl PodName ===

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

pub(super) fn refused(what: String, error: &kube::Error) -> WorldError {
    match error {
        kube::Error::Api(status) => WorldError::Refused(Refusal {
            what,
            message: status.message.clone(),
        }),
        other => WorldError::doing(what, other),
    }
}
