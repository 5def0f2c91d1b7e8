//! Pods, through the Kubernetes API.

use std::{collections::BTreeMap, sync::PoisonError, time::Duration};

use k8s_openapi::api::core::v1::{Pod, PodSpec, ServiceAccount};
use kube::{
    Api,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams},
    runtime::wait::{await_condition, conditions},
};
use rolecall_clock::{monotonic, since};
use rolecall_kubernetes::REQUESTED_ADDRESSES;
use rolecall_scenario::{Spanned, model};
use serde_json::json;

use super::{
    KubernetesOperator,
    kubernetes::{PodName, annotation_patch, refused},
    web_identity,
};
use crate::world::WorldError;

/// How long a pod may take to start or to go.
pub(super) const POD_DEADLINE: Duration = Duration::from_secs(30);

// === impl KubernetesOperator: pods ===

impl KubernetesOperator {
    /// Makes pods that are not there and annotates those that are. Returns when each is running and has its address.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what the API server said.
    pub(crate) async fn apply_pods(&self, pods: &BTreeMap<String, Spanned<model::Pod>>) -> Result<(), WorldError> {
        self.remember(pods);
        // Whoever takes another's address needs that other to have one.
        let (followers, first): (Vec<_>, Vec<_>) = pods.iter().partition(|(_, spec)| spec.ip_of.is_some());
        for group in [first, followers] {
            for (key, spec) in &group {
                self.apply_pod(&self.locate(key), spec).await?;
            }
            for (key, spec) in &group {
                let pod = self.locate(key);
                self.wait_until_running(&pod).await?;
                self.show_phase(&pod, spec).await?;
            }
        }
        Ok(())
    }

    async fn apply_pod(&self, pod: &PodName, spec: &model::Pod) -> Result<(), WorldError> {
        let (api, name) = (self.api(pod), pod.name.as_str());
        let what = |verb: &str| format!("{verb} pod {pod}");
        let found = api.get_opt(name).await.map_err(|error| refused(what("get"), &error))?;
        let Some(found) = found else {
            self.ensure_namespace(&pod.namespace).await?;
            self.ensure_service_account(&pod.namespace, spec).await?;
            let new = self.pod(name, spec)?;
            return self.create_pod(&api, &new, what("create")).await;
        };
        let set = self.owned(self.subject.pod_annotations(spec));
        let mut removed = self.subject.restored_pod_annotations(&spec.restored);
        let present = found.metadata.annotations.unwrap_or_default();
        if spec.annotations.is_some() || spec.restored.contains("annotations") {
            // `annotations` is replaced whole; what other words stand for stays.
            let own = self.subject.own_pod_annotations();
            removed.extend(
                present
                    .keys()
                    .map(String::as_str)
                    .filter(|key| !own.contains(key) && !set.contains_key(*key)),
            );
        }
        let patch = Patch::Merge(json!({"metadata": {"annotations": annotation_patch(&set, &removed)}}));
        let patched = api.patch(name, &PatchParams::default(), &patch).await;
        patched.map(drop).map_err(|error| refused(what("patch"), &error))
    }

    /// Makes a pod. Of a namespace that has just been made, the default service account follows a moment later.
    pub(super) async fn create_pod(&self, api: &Api<Pod>, pod: &Pod, what: String) -> Result<(), WorldError> {
        let start = monotonic();
        loop {
            match api.create(&PostParams::default(), pod).await {
                Ok(_) => return Ok(()),
                Err(kube::Error::Api(status))
                    if status.message.contains("serviceaccount \"default\" not found")
                        && since(start) < POD_DEADLINE =>
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(refused(what, &error)),
            }
        }
    }

    /// A pod whose service account does not exist is refused, as on any cluster.
    async fn ensure_service_account(&self, namespace: &str, spec: &model::Pod) -> Result<(), WorldError> {
        let Some(name) = &spec.service_account else {
            return Ok(());
        };
        let api: Api<ServiceAccount> = Api::namespaced(self.client(), namespace);
        let what = format!("create service account {namespace}/{name}");
        if api
            .get_opt(name)
            .await
            .map_err(|error| refused(what.clone(), &error))?
            .is_some()
        {
            return Ok(());
        }
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            labels: Some(self.style.labels.clone()).filter(|labels| !labels.is_empty()),
            ..ObjectMeta::default()
        };
        let account = ServiceAccount {
            metadata,
            ..ServiceAccount::default()
        };
        let created = api.create(&PostParams::default(), &account).await;
        created.map(drop).map_err(|error| refused(what, &error))
    }

    /// Shows another phase than the pod is in, as a pod has that ended and is not deleted.
    async fn show_phase(&self, pod: &PodName, spec: &model::Pod) -> Result<(), WorldError> {
        let Some(phase) = &spec.phase else { return Ok(()) };
        let patch = Patch::Merge(json!({"status": {"phase": phase}}));
        let patched = self
            .api(pod)
            .patch_status(&pod.name, &PatchParams::default(), &patch)
            .await;
        patched
            .map(drop)
            .map_err(|error| refused(format!("set the phase of pod {pod}"), &error))
    }

    fn pod(&self, name: &str, spec: &model::Pod) -> Result<Pod, WorldError> {
        let mut annotations = self.owned(self.subject.pod_annotations(spec));
        let mut containers = self.style.containers(spec.image.as_deref());
        let mut volumes = match &spec.vault_agent {
            Some(role) => {
                let agent = self
                    .agent
                    .as_ref()
                    .ok_or_else(|| WorldError::new("there is no Vault in this world"))?;
                agent.equip(&role.value, &mut containers, &mut annotations)
            }
            None => Vec::new(),
        };
        if let Some(role) = &spec.web_identity {
            volumes.push(web_identity::equip(
                &self.documents.role_arn(&role.value),
                &mut containers,
            ));
        }
        if let Some(addresses) = self.requested_addresses(spec)? {
            annotations.insert(REQUESTED_ADDRESSES.to_owned(), addresses);
        }
        let node = spec.node.as_ref().map_or("node-1", |node| node.value.as_str());
        Ok(Pod {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                annotations: Some(annotations).filter(|annotations| !annotations.is_empty()),
                labels: Some(self.style.labels.clone()).filter(|labels| !labels.is_empty()),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec {
                containers,
                node_name: Some(self.style.host(node)),
                host_network: spec.host_network,
                service_account_name: spec.service_account.clone(),
                volumes: Some(volumes).filter(|volumes| !volumes.is_empty()),
                termination_grace_period_seconds: Some(0),
                ..PodSpec::default()
            }),
            status: None,
        })
    }

    /// The addresses that a pod is to have, as the annotation for them wants it: a JSON list.
    fn requested_addresses(&self, spec: &model::Pod) -> Result<Option<String>, WorldError> {
        let addresses = match (&spec.ip_of, &spec.ips) {
            (Some(other), _) => {
                let known = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
                match known.get(&self.locate(&other.value)) {
                    Some(address) => vec![address.clone()],
                    None => return Err(WorldError::new(format!("pod {} never had an address", other.value))),
                }
            }
            (None, Some(addresses)) => addresses.clone(),
            (None, None) => return Ok(None),
        };
        Ok(Some(serde_json::Value::from(addresses).to_string()))
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
        if let Some(spec) = &mut pod.spec {
            // Ours, which no pod may be made with.
            spec.ephemeral_containers = None;
        }
        pod.metadata = ObjectMeta {
            name: pod.metadata.name.take(),
            annotations: pod.metadata.annotations.take(),
            labels: pod.metadata.labels.take(),
            ..ObjectMeta::default()
        };
        self.create_pod(&self.api(&located), &pod, format!("create pod {located}"))
            .await?;
        self.wait_until_running(&located).await
    }

    pub(super) fn api(&self, pod: &PodName) -> Api<Pod> {
        Api::namespaced(self.client(), &pod.namespace)
    }

    pub(super) async fn wait_until_running(&self, pod_name: &PodName) -> Result<(), WorldError> {
        let ready = |pod: Option<&Pod>| {
            let status = pod.and_then(|pod| pod.status.as_ref());
            status.is_some_and(|status| {
                // A phase that the pod cannot leave again is for the caller to tell.
                status.pod_ip.is_some() && status.phase.as_deref() == Some("Running")
                    || status.phase.as_deref() == Some("Failed")
            })
        };
        let what = format!("start pod {pod_name}");
        match tokio::time::timeout(POD_DEADLINE, await_condition(self.api(pod_name), &pod_name.name, ready)).await {
            Ok(Ok(Some(pod))) => {
                let status = pod.status.unwrap_or_default();
                if status.phase.as_deref() == Some("Failed") {
                    return Err(WorldError::new(format!(
                        "{what}: {}",
                        status.message.unwrap_or_default()
                    )));
                }
                if let Some(address) = status.pod_ip {
                    let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.push((address.clone(), pod_name.clone()));
                    let mut known = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
                    known.insert(pod_name.clone(), address);
                }
                self.join_probe(pod_name, pod.spec.as_ref()).await
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
