//! The nodes' own hands: a pod on each node's network, in which the probes of `as: node-1` run.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::DeleteParams,
    runtime::wait::{await_condition, conditions},
};
use serde_json::json;

use super::{
    cluster::{ClusterNode, KindCluster},
    daemon_set::{apply, least, object},
    exec::{Container, PROGRAM},
    marks::{Marks, NAMESPACE},
};
use crate::world::{WorldError, operator::PROBE};

const DEADLINE: Duration = Duration::from_secs(60);

/// Keeps a container waiting for probes, and ends on SIGTERM at once.
pub(super) fn waits() -> Vec<String> {
    [PROGRAM, "pause"].map(str::to_owned).into()
}

/// The container in which a node's probes run.
pub(super) fn of_node(node: &ClusterNode) -> Container {
    Container {
        namespace: NAMESPACE.to_owned(),
        pod: node.name.clone(),
        name: PROBE.to_owned(),
    }
}

/// Makes one on every node; they run when this returns.
///
/// # Errors
/// One cannot be made or does not run in time.
pub(super) async fn make(
    cluster: &KindCluster,
    image: &str,
    environment: &[(String, String)],
    marks: &Marks,
) -> Result<(), WorldError> {
    let each = cluster
        .nodes
        .iter()
        .map(|node| make_one(cluster, node, image, environment, marks));
    futures::future::try_join_all(each).await.map(drop)
}

async fn make_one(
    cluster: &KindCluster,
    node: &ClusterNode,
    image: &str,
    environment: &[(String, String)],
    marks: &Marks,
) -> Result<(), WorldError> {
    let variables: Vec<_> = environment
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let pod = object(json!({
        "metadata": {"name": node.name, "namespace": NAMESPACE, "labels": marks.labels()},
        "spec": {
            "nodeName": node.host,
            "hostNetwork": true,
            "tolerations": [{"operator": "Exists"}],
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": 1,
            "containers": [{
                "name": PROBE,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": waits(),
                "env": variables
            }]
        }
    }))?;
    remove(cluster, &node.name).await?;
    run(cluster, &node.name, &pod, "Running").await
}

/// Runs the subject's `uninstall` on every worker: the rule that it leaves outlives it.
///
/// # Errors
/// It cannot be run, or does not end well.
pub(super) async fn uninstall(cluster: &KindCluster, image: &str, marks: &Marks) -> Result<(), WorldError> {
    let each = cluster.workers().map(|node| async move {
        let name = format!("uninstall-{}", node.name);
        let pod = object(json!({
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": marks.labels()},
            "spec": {
                "nodeName": node.host,
                "hostNetwork": true,
                "restartPolicy": "Never",
                "automountServiceAccountToken": false,
                "containers": [{
                    "name": "uninstall",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "args": ["uninstall"],
                    "securityContext": least()
                }]
            }
        }))?;
        remove(cluster, &name).await?;
        run(cluster, &name, &pod, "Succeeded").await?;
        remove(cluster, &name).await
    });
    futures::future::try_join_all(each).await.map(drop)
}

async fn run(cluster: &KindCluster, name: &str, pod: &Pod, phase: &str) -> Result<(), WorldError> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    apply(&api, pod).await?;
    let reached = |pod: Option<&Pod>| {
        let phase_now = pod.and_then(|pod| pod.status.as_ref()?.phase.as_deref());
        phase_now.is_some_and(|now| now == phase || now == "Failed")
    };
    let what = format!("run pod {NAMESPACE}/{name}");
    match tokio::time::timeout(DEADLINE, await_condition(api.clone(), name, reached)).await {
        Ok(Ok(Some(pod))) if pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some(phase) => Ok(()),
        Ok(Err(error)) => Err(WorldError::doing(what, &error)),
        _ => {
            let said = api.logs(name, &Default::default()).await.unwrap_or_default();
            let status = api
                .get_status(name)
                .await
                .ok()
                .and_then(|pod| serde_json::to_string(&pod.status).ok());
            Err(WorldError::new(format!(
                "cannot {what} within {} s: {} {said}",
                DEADLINE.as_secs(),
                status.unwrap_or_default()
            )))
        }
    }
}

async fn remove(cluster: &KindCluster, name: &str) -> Result<(), WorldError> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let what = format!("delete pod {NAMESPACE}/{name}");
    let found = api
        .get_opt(name)
        .await
        .map_err(|error| WorldError::doing(&what, &error))?;
    let Some(uid) = found.and_then(|pod| pod.metadata.uid) else {
        return Ok(());
    };
    let at_once = DeleteParams::default().grace_period(0);
    api.delete(name, &at_once)
        .await
        .map_err(|error| WorldError::doing(&what, &error))?;
    match tokio::time::timeout(DEADLINE, await_condition(api, name, conditions::is_deleted(&uid))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(WorldError::doing(what, &error)),
        Err(_) => Err(WorldError::new(format!(
            "cannot {what} within {} s",
            DEADLINE.as_secs()
        ))),
    }
}
