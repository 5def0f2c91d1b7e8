//! The subject on the workers: rolled, stopped, killed and started, and what it says of itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::{
    apps::v1::DaemonSet,
    core::v1::{Node, Pod},
};
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use rolecall_clock::{monotonic, since};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    cluster::{ClusterNode, KindCluster},
    command::Program,
    daemon_set::{APP, PROXY, ROLL, RUNS_HERE, SubjectPlan, allow, apply},
    marks::NAMESPACE,
    subject_log::SubjectLogs,
};
use crate::{subject::Settings, world::WorldError};

/// How long the subject may take until it can serve, and to end.
const DEADLINE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(50);

/// The subject on every worker, in one scenario.
pub(super) struct Fleet {
    pub(super) cluster: KindCluster,
    plan: Mutex<SubjectPlan>,
    /// Nodes on which the scenario keeps the subject stopped.
    stopped: Mutex<BTreeSet<String>>,
    pub(super) logs: Arc<SubjectLogs>,
    /// Cancelled when the scenario is over.
    end: CancellationToken,
}

/// A pod of the subject that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SubjectPod {
    /// The node as scenarios call it.
    pub(super) node: String,
    pub(super) name: String,
    pub(super) uid: String,
    ready: bool,
    leaving: bool,
    roll: String,
}

// === impl Fleet ===

impl Fleet {
    pub(super) fn new(cluster: KindCluster, plan: SubjectPlan) -> Self {
        Self {
            cluster,
            plan: Mutex::new(plan),
            stopped: Mutex::default(),
            logs: Arc::default(),
            end: CancellationToken::new(),
        }
    }

    pub(super) fn plan(&self) -> SubjectPlan {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn settings(&self) -> Settings {
        self.plan().settings
    }

    pub(super) fn set(&self, settings: Settings) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).settings = settings;
    }

    pub(super) fn is_stopped(&self, node: &str) -> bool {
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(node)
    }

    fn api(&self) -> Api<Pod> {
        Api::namespaced(self.cluster.client.clone(), NAMESPACE)
    }

    /// The subject's pods.
    ///
    /// # Errors
    /// What the API server says.
    pub(super) async fn pods(&self) -> Result<Vec<SubjectPod>, WorldError> {
        let parameters = ListParams::default().labels(&format!("{APP}={PROXY}"));
        let listed = self.api().list(&parameters).await;
        let listed = listed.map_err(|error| WorldError::doing("list the subject's pods", &error))?;
        let nodes = &self.cluster.nodes;
        Ok(listed.items.iter().filter_map(|pod| subject_pod(pod, nodes)).collect())
    }

    /// Puts new pods with these settings in the place of those that run, on every worker; they can serve when this returns.
    ///
    /// # Errors
    /// They cannot be made, or are not ready in time: what Kubernetes and they themselves say.
    pub(super) async fn roll(&self) -> Result<(), WorldError> {
        let roll = format!("{:016x}", rand::random::<u64>());
        let plan = self.plan();
        let daemon_set = plan.daemon_set(&roll)?;
        allow(&self.cluster.client, &plan.marks, &plan.settings).await?;
        let api: Api<DaemonSet> = Api::namespaced(self.cluster.client.clone(), NAMESPACE);
        let label = self.cluster.workers().map(|node| self.label(node, true));
        futures::future::try_join_all(label).await?;
        apply(&api, &daemon_set).await?;
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let workers: Vec<String> = self.cluster.workers().map(|node| node.name.clone()).collect();
        self.wait(
            &format!("start {} on every worker", self.plan().subject.name()),
            |pods| {
                let right = |node: &String| {
                    pods.iter()
                        .any(|pod| pod.node == *node && pod.ready && pod.roll == roll)
                };
                pods.iter().all(|pod| pod.roll == roll && !pod.leaving) && workers.iter().all(right)
            },
        )
        .await
    }

    /// Starts the subject on a node where it was stopped; it can serve when this returns.
    ///
    /// # Errors
    /// It is not ready in time.
    pub(super) async fn start(&self, node: &str) -> Result<(), WorldError> {
        self.label(self.cluster.node(node)?, true).await?;
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).remove(node);
        self.wait(&format!("start the subject on {node}"), |pods| {
            pods.iter().any(|pod| pod.node == node && pod.ready && !pod.leaving)
        })
        .await
    }

    /// Stops the subject on a node until it is started: it gets SIGTERM, and has ended when this returns.
    ///
    /// # Errors
    /// It does not end in time.
    pub(super) async fn stop(&self, node: &str) -> Result<(), WorldError> {
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(node.to_owned());
        self.label(self.cluster.node(node)?, false).await?;
        self.wait(&format!("stop the subject on {node}"), |pods| {
            pods.iter().all(|pod| pod.node != node)
        })
        .await
    }

    /// Kills the subject on a node: it never gets SIGTERM.
    ///
    /// # Errors
    /// The node refuses, or the pod does not go in time.
    pub(super) async fn kill(&self, node: &str) -> Result<(), WorldError> {
        let there = self.cluster.node(node)?;
        let pods = self.pods().await?;
        let uids: Vec<_> = pods
            .iter()
            .filter(|pod| pod.node == node)
            .map(|pod| pod.uid.clone())
            .collect();
        // Held first: the kubelet would start a killed container anew, and tell one that is to go by SIGTERM.
        for uid in &uids {
            signal(there, uid, "STOP").await?;
        }
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(node.to_owned());
        self.label(there, false).await?;
        for uid in &uids {
            signal(there, uid, "KILL").await?;
        }
        self.wait(&format!("kill the subject on {node}"), |pods| {
            pods.iter().all(|pod| pod.node != node)
        })
        .await
    }

    async fn label(&self, node: &ClusterNode, runs: bool) -> Result<(), WorldError> {
        let api: Api<Node> = Api::all(self.cluster.client.clone());
        let value = if runs { json!("yes") } else { Value::Null };
        let patch = Patch::Merge(json!({"metadata": {"labels": {RUNS_HERE: value}}}));
        let patched = api.patch(&node.host, &PatchParams::default(), &patch).await;
        patched
            .map(drop)
            .map_err(|error| WorldError::doing(format_args!("label node {}", node.host), &error))
    }

    async fn wait(&self, what: &str, reached: impl Fn(&[SubjectPod]) -> bool) -> Result<(), WorldError> {
        let start = monotonic();
        loop {
            let pods = self.pods().await?;
            for pod in pods.iter().filter(|pod| pod.ready) {
                self.logs.follow(self.api(), pod, &self.end);
            }
            if reached(&pods) {
                return Ok(());
            }
            if since(start) > DEADLINE {
                return Err(self.too_late(what).await);
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn too_late(&self, what: &str) -> WorldError {
        let mut said = String::new();
        let parameters = ListParams::default().labels(&format!("{APP}={PROXY}"));
        let listed = self.api().list(&parameters).await;
        for pod in listed.into_iter().flat_map(|listed| listed.items) {
            let name = pod.metadata.name.unwrap_or_default();
            let status = serde_json::to_string(&pod.status).unwrap_or_default();
            let log = self.api().logs(&name, &Default::default()).await.unwrap_or_default();
            let tail: Vec<_> = log.lines().rev().take(10).collect();
            let tail: Vec<_> = tail.into_iter().rev().collect();
            said.push_str(&format!("\n{name}: {status}\n{}", tail.join("\n")));
        }
        WorldError::new(format!("cannot {what} within {} s:{said}", DEADLINE.as_secs()))
    }

    /// The subject's own words on one node, or on all, each line after its node's name.
    pub(super) fn log(&self, node: Option<&str>) -> String {
        self.logs.text(node)
    }

    /// The pods that run now, by node.
    pub(super) async fn running(&self) -> Result<BTreeMap<String, String>, WorldError> {
        let pods = self.pods().await?.into_iter().filter(|pod| pod.ready && !pod.leaving);
        Ok(pods.map(|pod| (pod.node, pod.name)).collect())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

fn subject_pod(pod: &Pod, nodes: &[ClusterNode]) -> Option<SubjectPod> {
    let host = pod.spec.as_ref()?.node_name.as_ref()?;
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let is_ready = conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let annotations = pod.metadata.annotations.as_ref();
    Some(SubjectPod {
        node: nodes.iter().find(|node| node.host == *host)?.name.clone(),
        name: pod.metadata.name.clone()?,
        uid: pod.metadata.uid.clone()?,
        ready: is_ready,
        leaving: pod.metadata.deletion_timestamp.is_some(),
        roll: annotations.and_then(|all| all.get(ROLL)).cloned().unwrap_or_default(),
    })
}

/// Sends a signal to the processes of a pod, the one that only holds its namespaces excepted.
async fn signal(node: &ClusterNode, uid: &str, signal: &str) -> Result<(), WorldError> {
    // systemd writes the uid of a pod's control group with underscores.
    let other = uid.replace('-', "_");
    let script = format!(
        "for process in /proc/[0-9]*; do if grep -qs -e '{uid}' -e '{other}' $process/cgroup && [ \"$(cat $process/comm)\" != pause \
         ]; then kill -{signal} ${{process#/proc/}}; fi; done; true"
    );
    Program::docker(["exec", &node.host, "sh", "-c", &script])
        .run()
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_of_the_subject_is_told_by_its_node_its_roll_and_whether_it_serves() {
        let nodes = [ClusterNode {
            name: "node-1".to_owned(),
            host: "c-worker".to_owned(),
            address: std::net::Ipv4Addr::new(172, 18, 0, 3),
            pods: "10.244.1.0/24".to_owned(),
        }];
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "p", "uid": "u", "annotations": {ROLL: "7"}},
            "spec": {"nodeName": "c-worker", "containers": []},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}
        }))
        .expect("a pod");
        let told = subject_pod(&pod, &nodes).expect("a pod of the subject");
        assert_eq!(
            (told.node.as_str(), told.roll.as_str(), told.ready, told.leaving),
            ("node-1", "7", true, false)
        );
        // One that is on no node yet is none that runs.
        let waiting: Pod = serde_json::from_value(json!({"metadata": {"name": "p", "uid": "u"}})).expect("a pod");
        assert_eq!(subject_pod(&waiting, &nodes), None);
    }
}
