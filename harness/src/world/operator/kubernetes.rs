//! Namespaces and pods, through the Kubernetes API.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::{Container, Namespace, Pod, PodSpec};
use kube::{
    Api, Client,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams},
    runtime::wait::{await_condition, conditions},
};
use rolecall_scenario::{Spanned, model};
use serde_json::json;

use crate::{check::Refusal, subject::Subject, world::WorldError};

/// How long a pod may take to start or to go.
const POD_DEADLINE: Duration = Duration::from_secs(30);

/// The operator at the API server.
#[derive(Clone)]
pub(crate) struct KubernetesOperator {
    client: Client,
    subject: Subject,
    /// Namespaces of pods whose key does not carry it.
    namespaces: Arc<Mutex<BTreeMap<String, String>>>,
}

/// A pod in Kubernetes' words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

// === impl KubernetesOperator ===

impl KubernetesOperator {
    pub(crate) fn new(client: Client, subject: Subject) -> Self {
        Self {
            client,
            subject,
            namespaces: Arc::default(),
        }
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

    fn remember(&self, pods: &BTreeMap<String, Spanned<model::Pod>>) {
        let mut known = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, spec) in pods {
            if let Some(namespace) = &spec.namespace {
                known.insert(key.clone(), namespace.clone());
            }
        }
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
                &self.subject.namespace_annotations(spec),
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

    async fn ensure_namespace(&self, name: &str) -> Result<(), WorldError> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let found = api
            .get_opt(name)
            .await
            .map_err(|error| refused(format!("get namespace {name}"), &error))?;
        if found.is_none() {
            let namespace = Namespace {
                metadata: ObjectMeta {
                    name: Some(name.to_owned()),
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

    /// Makes pods that are not there and annotates those that are. Returns when each is running and has its address.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what the API server said.
    pub(crate) async fn apply_pods(&self, pods: &BTreeMap<String, Spanned<model::Pod>>) -> Result<(), WorldError> {
        self.remember(pods);
        for (key, spec) in pods {
            let pod = self.locate(key);
            let (api, name) = (self.api(&pod), pod.name.as_str());
            let what = |verb: &str| format!("{verb} pod {pod}");
            let found = api.get_opt(name).await.map_err(|error| refused(what("get"), &error))?;
            if found.is_some() {
                let annotations = annotation_patch(
                    &self.subject.pod_annotations(spec),
                    &self.subject.restored_pod_annotations(&spec.restored),
                );
                let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
                api.patch(name, &PatchParams::default(), &patch)
                    .await
                    .map_err(|error| refused(what("patch"), &error))?;
                continue;
            }
            self.ensure_namespace(&pod.namespace).await?;
            let new = self.pod(name, spec);
            api.create(&PostParams::default(), &new)
                .await
                .map_err(|error| refused(what("create"), &error))?;
        }
        for key in pods.keys() {
            self.wait_until_running(&self.locate(key)).await?;
        }
        Ok(())
    }

    fn pod(&self, name: &str, spec: &model::Pod) -> Pod {
        let container = Container {
            name: "app".to_owned(),
            image: Some("rolecall/probe".to_owned()),
            ..Container::default()
        };
        Pod {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                annotations: Some(self.subject.pod_annotations(spec)).filter(|annotations| !annotations.is_empty()),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec {
                containers: vec![container],
                node_name: Some(
                    spec.node
                        .as_ref()
                        .map_or("node-1", |node| node.value.as_str())
                        .to_owned(),
                ),
                host_network: spec.host_network,
                service_account_name: spec.service_account.clone(),
                termination_grace_period_seconds: Some(0),
                ..PodSpec::default()
            }),
            status: None,
        }
    }

    /// Deletes a pod; returns when it is gone.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what the API server said.
    pub(crate) async fn delete(&self, key: &str, grace: Duration) -> Result<Pod, WorldError> {
        let located = self.locate(key);
        let (api, name) = (self.api(&located), located.name.as_str());
        let what = format!("delete pod {located}");
        let pod = api.get(name).await.map_err(|error| refused(what.clone(), &error))?;
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let grace = u32::try_from(grace.as_secs()).unwrap_or(u32::MAX);
        let parameters = DeleteParams {
            grace_period_seconds: Some(grace),
            ..DeleteParams::default()
        };
        api.delete(name, &parameters)
            .await
            .map_err(|error| refused(what.clone(), &error))?;
        let gone = await_condition(api, name, conditions::is_deleted(&uid));
        match tokio::time::timeout(POD_DEADLINE, gone).await {
            Ok(Ok(_)) => Ok(pod),
            Ok(Err(error)) => Err(WorldError::doing(what, &error)),
            Err(_) => Err(WorldError::new(format!(
                "{what}: still there after {} s",
                POD_DEADLINE.as_secs()
            ))),
        }
    }

    /// Deletes a pod and makes it anew on the same node.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what the API server said.
    pub(crate) async fn recreate(&self, key: &str, grace: Duration) -> Result<(), WorldError> {
        let located = self.locate(key);
        let mut pod = self.delete(key, grace).await?;
        pod.status = None;
        pod.metadata = ObjectMeta {
            name: pod.metadata.name.take(),
            annotations: pod.metadata.annotations.take(),
            labels: pod.metadata.labels.take(),
            ..ObjectMeta::default()
        };
        self.api(&located)
            .create(&PostParams::default(), &pod)
            .await
            .map_err(|error| refused(format!("create pod {located}"), &error))?;
        self.wait_until_running(&located).await
    }

    fn api(&self, pod: &PodName) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &pod.namespace)
    }

    async fn wait_until_running(&self, pod: &PodName) -> Result<(), WorldError> {
        let ready = |pod: Option<&Pod>| {
            let status = pod.and_then(|pod| pod.status.as_ref());
            status.is_some_and(|status| {
                // A phase that the pod cannot leave again is for the caller to tell.
                status.pod_ip.is_some() && status.phase.as_deref() == Some("Running")
                    || status.phase.as_deref() == Some("Failed")
            })
        };
        let what = format!("start pod {pod}");
        match tokio::time::timeout(POD_DEADLINE, await_condition(self.api(pod), &pod.name, ready)).await {
            Ok(Ok(Some(pod))) => {
                let status = pod.status.unwrap_or_default();
                if status.phase.as_deref() == Some("Failed") {
                    return Err(WorldError::new(format!(
                        "{what}: {}",
                        status.message.unwrap_or_default()
                    )));
                }
                Ok(())
            }
            Ok(Ok(None)) => Err(WorldError::new(format!("{what}: it went away"))),
            Ok(Err(error)) => Err(WorldError::doing(what, &error)),
            Err(_) => Err(WorldError::new(format!(
                "{what}: not running after {} s",
                POD_DEADLINE.as_secs()
            ))),
        }
    }
}

/// A merge patch of annotations: what is set, and what goes (`null`).
fn annotation_patch(set: &BTreeMap<String, String>, removed: &[&str]) -> serde_json::Map<String, serde_json::Value> {
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

fn refused(what: String, error: &kube::Error) -> WorldError {
    match error {
        kube::Error::Api(status) => WorldError::Refused(Refusal {
            what,
            message: status.message.clone(),
        }),
        other => WorldError::doing(what, other),
    }
}
