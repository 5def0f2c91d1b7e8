//! What pods are made of in a world: the same pods of a scenario run the harness's processes in one world and containers in
//! another.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::core::v1::{Container, EnvVar, EphemeralContainer, Pod, PodSpec};
use kube::{
    api::{Patch, PatchParams},
    runtime::wait::await_condition,
};
use serde_json::json;

use super::{
    KubernetesOperator,
    kubernetes::{PodName, refused},
};
use crate::world::WorldError;

/// The container in which a pod's probes run.
pub(crate) const PROBE: &str = "probe";
/// The container in which a pod's further programs run (`exec:`).
pub(crate) const PROGRAMS: &str = "programs";

/// How long the probe may take to join a pod of a manifest.
const JOIN: Duration = Duration::from_secs(30);

/// What pods are made of. By default, of nothing: whoever runs the kubelets knows what a pod is.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodStyle {
    /// The probe's image and what keeps it waiting for probes.
    pub(crate) probe: Option<(String, Vec<String>)>,
    /// The image of the second container, for scenarios that run programs in their pods.
    pub(crate) programs: Option<String>,
    /// What the images of manifests are replaced by.
    pub(crate) mapped: Option<String>,
    /// What every container's environment has.
    pub(crate) environment: Vec<(String, String)>,
    /// Nodes' names in Kubernetes by those in scenarios, where they differ.
    pub(crate) hosts: BTreeMap<String, String>,
    /// Labels of pods and namespaces.
    pub(crate) labels: BTreeMap<String, String>,
}

// === impl PodStyle ===

impl PodStyle {
    /// A node's name in Kubernetes.
    pub(super) fn host(&self, node: &str) -> String {
        self.hosts.get(node).cloned().unwrap_or_else(|| node.to_owned())
    }

    fn variables(&self) -> Option<Vec<EnvVar>> {
        let variables = self.environment.iter().map(|(name, value)| EnvVar {
            name: name.clone(),
            value: Some(value.clone()),
            ..EnvVar::default()
        });
        Some(variables.collect::<Vec<_>>()).filter(|variables| !variables.is_empty())
    }

    /// The containers of a scenario's pod.
    pub(super) fn containers(&self, image: Option<&str>) -> Vec<Container> {
        let Some((probe, waits)) = &self.probe else {
            return vec![Container {
                name: PROBE.to_owned(),
                image: Some(image.unwrap_or("rolecall/probe").to_owned()),
                ..Container::default()
            }];
        };
        let mut containers = vec![Container {
            name: PROBE.to_owned(),
            image: Some(probe.clone()),
            command: Some(waits.clone()),
            env: self.variables(),
            image_pull_policy: Some("IfNotPresent".to_owned()),
            ..Container::default()
        }];
        containers.extend(self.programs.iter().map(|image| {
            Container {
                name: PROGRAMS.to_owned(),
                image: Some(image.clone()),
                // It has nothing to do but to be there, and to go at once.
                command: Some(
                    ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]
                        .map(str::to_owned)
                        .into(),
                ),
                env: self.variables(),
                image_pull_policy: Some("IfNotPresent".to_owned()),
                ..Container::default()
            }
        }));
        containers
    }

    /// A manifest's pod as it can run here: its commands stay, its images are mapped.
    pub(super) fn dress(&self, pod: &mut Pod) {
        let Some(spec) = &mut pod.spec else { return };
        if let Some(image) = &self.mapped {
            for container in &mut spec.containers {
                container.image = Some(image.clone());
                container.image_pull_policy = Some("IfNotPresent".to_owned());
                let mut variables = self.variables().unwrap_or_default();
                variables.extend(container.env.take().unwrap_or_default());
                container.env = Some(variables);
            }
            // Where a scenario's pods are.
            spec.node_name.get_or_insert_with(|| self.host("node-1"));
        }
        if !self.labels.is_empty() {
            let labels = pod.metadata.labels.get_or_insert_default();
            labels.extend(self.labels.clone());
        }
    }
}

// === impl KubernetesOperator: the probe in a manifest's pod ===

impl KubernetesOperator {
    /// Lets the probe join a pod that has no container of it.
    pub(super) async fn join_probe(&self, pod: &PodName, spec: Option<&PodSpec>) -> Result<(), WorldError> {
        let Some((image, waits)) = &self.style.probe else {
            return Ok(());
        };
        if spec.is_some_and(|spec| spec.containers.iter().any(|container| container.name == PROBE)) {
            return Ok(());
        }
        let probe = EphemeralContainer {
            name: PROBE.to_owned(),
            image: Some(image.clone()),
            command: Some(waits.clone()),
            env: self.style.variables(),
            image_pull_policy: Some("IfNotPresent".to_owned()),
            ..EphemeralContainer::default()
        };
        let what = format!("let the probe join pod {pod}");
        let api = self.api(pod);
        let patch = Patch::Strategic(json!({"spec": {"ephemeralContainers": [probe]}}));
        api.patch_ephemeral_containers(&pod.name, &PatchParams::default(), &patch)
            .await
            .map_err(|error| refused(what.clone(), &error))?;
        let runs = |pod: Option<&Pod>| {
            let status = pod.and_then(|pod| pod.status.as_ref());
            let all = status.and_then(|status| status.ephemeral_container_statuses.as_ref());
            all.into_iter().flatten().any(|container| {
                container.name == PROBE && container.state.as_ref().is_some_and(|state| state.running.is_some())
            })
        };
        match tokio::time::timeout(JOIN, await_condition(api, &pod.name, runs)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(WorldError::doing(what, &error)),
            Err(_) => Err(WorldError::new(format!(
                "{what}: it does not run after {} s",
                JOIN.as_secs()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifests_pod_keeps_its_command_and_runs_the_mapped_image_on_node_1() {
        let style = PodStyle {
            mapped: Some("cli:1".to_owned()),
            environment: vec![("AWS_ENDPOINT_URL".to_owned(), "http://front".to_owned())],
            hosts: BTreeMap::from([("node-1".to_owned(), "c-worker".to_owned())]),
            ..PodStyle::default()
        };
        let mut pod: Pod = serde_json::from_value(json!({"spec": {"containers": [
            {"name": "aws-cli", "image": "cgswong/aws:aws", "command": ["sleep", "9999999"]}
        ]}}))
        .expect("a pod");
        style.dress(&mut pod);
        let spec = pod.spec.expect("a spec");
        let container = &spec.containers[0];
        assert_eq!(container.image.as_deref(), Some("cli:1"));
        assert_eq!(
            container.command.as_deref(),
            Some(["sleep", "9999999"].map(str::to_owned).as_slice())
        );
        assert_eq!(spec.node_name.as_deref(), Some("c-worker"));
    }
}
