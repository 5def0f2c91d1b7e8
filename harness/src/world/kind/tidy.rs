//! Removing what a scenario applied, and what a run did in a cluster that stays.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::{
    apps::v1::DaemonSet,
    core::v1::{Namespace, Node, Pod, ServiceAccount},
    rbac::v1::{ClusterRole, ClusterRoleBinding},
};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    runtime::wait::await_condition,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    cluster::KindCluster,
    daemon_set::{PROXY, RUNS_HERE},
    ground::KindGround,
    marks::{NAMESPACE, RUN},
    vault::REVIEWER,
};
use crate::world::WorldError;

/// How long a namespace may take to go.
const GOING: Duration = Duration::from_secs(90);

/// Namespaces of every cluster.
const STANDING: [&str; 5] = [
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];
/// The annotations that a namespace has by itself.
const OWN: &str = "kubernetes.io/";

/// Removes what scenarios have made in the cluster; it is gone when this returns.
///
/// # Errors
/// What the API server says.
pub(super) async fn scenario(cluster: &KindCluster) -> Result<(), WorldError> {
    let client = &cluster.client;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let listed = namespaces.list(&ListParams::default()).await;
    let listed = listed.map_err(|error| WorldError::doing("list namespaces", &error))?;
    let mut ours = Vec::new();
    for namespace in &listed.items {
        let name = namespace.metadata.name.as_deref().unwrap_or_default();
        if name == NAMESPACE {
            continue;
        }
        let labels = namespace.metadata.labels.as_ref();
        if labels.is_some_and(|labels| labels.contains_key(RUN)) && !STANDING.contains(&name) {
            ours.push(name.to_owned());
        }
    }
    pods(cluster).await?;
    for name in &ours {
        absent(namespaces.delete(name, &DeleteParams::default()).await.map(drop), name)?;
    }
    until_none_goes(client, &ours).await?;
    // What a scenario annotates or adds in the namespace that is always there.
    let default = listed
        .items
        .iter()
        .find(|namespace| namespace.metadata.name.as_deref() == Some("default"));
    let annotations = default
        .and_then(|namespace| namespace.metadata.annotations.clone())
        .unwrap_or_default();
    let foreign: BTreeMap<String, Value> = annotations
        .into_keys()
        .filter(|key| !key.contains(OWN))
        .map(|key| (key, Value::Null))
        .collect();
    if !foreign.is_empty() {
        let patch = Patch::Merge(json!({"metadata": {"annotations": foreign}}));
        let patched = namespaces.patch("default", &PatchParams::default(), &patch).await;
        patched.map_err(|error| WorldError::doing("restore namespace default", &error))?;
    }
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
    let listed = accounts.list(&ListParams::default().labels(RUN)).await;
    for account in listed
        .map_err(|error| WorldError::doing("list service accounts", &error))?
        .items
    {
        let name = account.metadata.name.unwrap_or_default();
        absent(accounts.delete(&name, &DeleteParams::default()).await.map(drop), &name)?;
    }
    Ok(())
}

/// Deletes the scenarios' pods at once, and returns when none is there.
async fn pods(cluster: &KindCluster) -> Result<(), WorldError> {
    let all: Api<Pod> = Api::all(cluster.client.clone());
    let listed = all.list(&ListParams::default().labels(RUN)).await;
    let listed = listed.map_err(|error| WorldError::doing("list pods", &error))?;
    let each = listed.items.into_iter().filter_map(|pod| {
        let namespace = pod.metadata.namespace.filter(|namespace| namespace != NAMESPACE)?;
        let name = pod.metadata.name?;
        let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
        // Without grace the API forgets it at once, and its kubelet kills what runs.
        let at_once = DeleteParams::default().grace_period(0);
        Some(async move { absent(api.delete(&name, &at_once).await.map(drop), &name) })
    });
    futures::future::try_join_all(each).await.map(drop)
}

/// Deletes the subject's DaemonSet, and returns when its pods are gone.
///
/// # Errors
/// What the API server says, or they do not go.
pub(super) async fn stop_subject(ground: &KindGround) -> Result<(), WorldError> {
    let client = &ground.cluster.client;
    let api: Api<DaemonSet> = Api::namespaced(client.clone(), NAMESPACE);
    absent(api.delete(PROXY, &DeleteParams::background()).await.map(drop), PROXY)?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let ours = ListParams::default().labels(&format!("{}={PROXY}", super::daemon_set::APP));
    let start = rolecall_clock::monotonic();
    loop {
        let listed = pods.list(&ours).await;
        let left = listed
            .map_err(|error| WorldError::doing("list the subject's pods", &error))?
            .items;
        if left.is_empty() {
            return Ok(());
        }
        if rolecall_clock::since(start) > std::time::Duration::from_secs(60) {
            return Err(WorldError::new(format!("{} pods of the subject do not go", left.len())));
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Leaves a cluster that stays without scenarios and without the subject.
///
/// # Errors
/// What the API server says.
pub(super) async fn leave(ground: &KindGround) -> Result<(), WorldError> {
    scenario(&ground.cluster).await?;
    stop_subject(ground).await
}

/// Removes what is ours and no scenario's.
///
/// # Errors
/// What the API server says.
pub(super) async fn remove_ours(cluster: &KindCluster) -> Result<(), WorldError> {
    let client = &cluster.client;
    let nodes: Api<Node> = Api::all(client.clone());
    for node in &cluster.nodes {
        let patch = Patch::Merge(json!({"metadata": {"labels": {RUNS_HERE: null}}}));
        let patched = nodes.patch(&node.host, &PatchParams::default(), &patch).await;
        patched.map_err(|error| WorldError::doing(format_args!("restore node {}", node.host), &error))?;
    }
    delete_one::<ClusterRoleBinding>(cluster, PROXY).await?;
    delete_one::<ClusterRoleBinding>(cluster, REVIEWER).await?;
    delete_one::<ClusterRole>(cluster, PROXY).await?;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    absent(
        namespaces.delete(NAMESPACE, &DeleteParams::default()).await.map(drop),
        NAMESPACE,
    )?;
    until_none_goes(client, &[NAMESPACE.to_owned()]).await
}

/// Waits until none of these namespaces is on its way out: in such a one nothing can be made.
///
/// # Errors
/// What the API server says, or one does not go.
pub(super) async fn until_none_goes(client: &Client, names: &[String]) -> Result<(), WorldError> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    for name in names {
        let stays =
            |found: Option<&Namespace>| found.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_none());
        let waited = tokio::time::timeout(GOING, await_condition(namespaces.clone(), name, stays)).await;
        match waited {
            Ok(waited) => drop(waited.map_err(|error| WorldError::doing(format_args!("watch {name}"), &error))?),
            Err(_) => {
                return Err(WorldError::new(format!(
                    "namespace {name} does not go within {} s; `kubectl get namespace {name} -o yaml` says what holds it",
                    GOING.as_secs()
                )));
            }
        }
    }
    Ok(())
}

async fn delete_one<T>(cluster: &KindCluster, name: &str) -> Result<(), WorldError>
where
    T: Resource<DynamicType = (), Scope = k8s_openapi::ClusterResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<T> = Api::all(cluster.client.clone());
    absent(api.delete(name, &DeleteParams::default()).await.map(drop), name)
}

/// What is not there need not be removed.
fn absent(deleted: Result<(), kube::Error>, name: &str) -> Result<(), WorldError> {
    match deleted {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other.map_err(|error| WorldError::doing(format_args!("delete {name}"), &error)),
    }
}
