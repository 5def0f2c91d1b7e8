//! One pod on each node.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::{
    apps::v1::DaemonSet,
    core::v1::{Node, Pod},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, PropagationPolicy},
};
use rolecall_accept::CancellationToken;
use rolecall_kubernetes::User;
use serde_json::{Value, json};

use crate::embedded::{Embedded, Sandboxes, address, eventually, node, phase, refusal};

async fn sets(world: &Embedded) -> Api<DaemonSet> {
    Api::namespaced(world.client(User::Admin).await, "default")
}

fn daemons(spec: Value) -> DaemonSet {
    let mut pod = json!({"containers": [{"name": "main", "image": "example.com/daemon:1"}]});
    if let (Value::Object(pod), Value::Object(more)) = (&mut pod, spec) {
        pod.extend(more);
    }
    let set = json!({"metadata": {"name": "d"}, "spec": {
        "selector": {"matchLabels": {"name": "d"}},
        "template": {"metadata": {"labels": {"name": "d"}, "annotations": {"a": "1"}}, "spec": pod},
    }});
    serde_json::from_value(set).expect("a DaemonSet")
}

/// The running pods of the set, by node.
async fn placed(pods: &Api<Pod>) -> BTreeMap<String, Pod> {
    let list = pods
        .list(&ListParams::default().labels("name=d"))
        .await
        .expect("listed");
    list.into_iter()
        .filter(|pod| phase(pod) == "Running" && pod.metadata.deletion_timestamp.is_none())
        .map(|pod| {
            (
                pod.spec.as_ref().and_then(|s| s.node_name.clone()).unwrap_or_default(),
                pod,
            )
        })
        .collect()
}

async fn on(pods: &Api<Pod>, nodes: &[&str]) -> BTreeMap<String, Pod> {
    eventually(&format!("one pod on each of {nodes:?}"), async || {
        let placed = placed(pods).await;
        let all = pods.list(&ListParams::default()).await.expect("listed").items.len();
        (placed.keys().eq(nodes) && all == nodes.len()).then_some(placed)
    })
    .await
}

fn uids(pods: &BTreeMap<String, Pod>) -> BTreeSet<Option<String>> {
    pods.values().map(ResourceExt::uid).collect()
}

#[tokio::test]
async fn a_daemon_runs_on_every_worker_and_on_none_of_the_control_plane() {
    let Some(world) = Embedded::alone("has other nodes than node-1 and node-2").await else {
        return;
    };
    let made = sets(&world)
        .await
        .create(&PostParams::default(), &daemons(json!({"hostNetwork": true})))
        .await;
    let made = made.expect("created");
    assert_eq!(made.metadata.generation, Some(1));
    let pods = on(&world.pods().await, &["node-1", "node-2"]).await;
    let pod = &pods["node-2"];
    assert_eq!(address(pod), "172.20.0.13");
    assert!(pod.name_any().starts_with("d-"));
    assert_eq!(pod.annotations().get("a").map(String::as_str), Some("1"));
    let owner = &pod.owner_references()[0];
    assert_eq!(
        (owner.kind.as_str(), Some(&owner.uid)),
        ("DaemonSet", made.metadata.uid.as_ref())
    );
    let status = eventually("the status says so", async || {
        let status = sets(&world).await.get("d").await.ok()?.status?;
        (status.number_available == Some(2)).then_some(status)
    })
    .await;
    assert_eq!((status.desired_number_scheduled, status.number_ready), (2, 2));
    assert_eq!(
        (status.updated_number_scheduled, status.number_unavailable),
        (Some(2), None)
    );
}

#[tokio::test]
async fn a_daemon_that_tolerates_the_control_plane_runs_there_too() {
    let Some(world) = Embedded::alone("has other nodes than node-1 and node-2").await else {
        return;
    };
    let tolerant = json!({"tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]});
    sets(&world)
        .await
        .create(&PostParams::default(), &daemons(tolerant))
        .await
        .expect("created");
    on(&world.pods().await, &["master-1", "node-1", "node-2"]).await;
}

#[tokio::test]
async fn nodes_that_come_get_a_daemon_and_nodes_that_no_longer_fit_lose_theirs() {
    let Some(world) = Embedded::alone("has other nodes than node-1 and node-2").await else {
        return;
    };
    let nodes: Api<Node> = Api::all(world.client(User::Admin).await);
    let old = json!({"nodeSelector": {"kubernetes.io/role": "node"}});
    sets(&world)
        .await
        .create(&PostParams::default(), &daemons(old))
        .await
        .expect("created");
    on(&world.pods().await, &["node-1", "node-2"]).await;
    let stop = CancellationToken::new();
    tokio::spawn(
        world
            .cluster
            .run_kubelet(node("node-3", 4), Sandboxes::new(), stop.clone()),
    );
    on(&world.pods().await, &["node-1", "node-2", "node-3"]).await;
    let other = Patch::Merge(json!({"metadata": {"labels": {"kubernetes.io/role": "spare"}}}));
    nodes
        .patch("node-2", &PatchParams::default(), &other)
        .await
        .expect("patched");
    let cordoned = Patch::Merge(json!({"spec": {"unschedulable": true}}));
    nodes
        .patch("node-1", &PatchParams::default(), &cordoned)
        .await
        .expect("patched");
    // A cordoned node keeps its daemon.
    on(&world.pods().await, &["node-1", "node-3"]).await;
    stop.cancel();
}

#[tokio::test]
async fn a_deleted_daemon_is_made_again_and_a_changed_template_replaces_all() {
    let Some(world) = Embedded::alone("has other nodes than node-1 and node-2").await else {
        return;
    };
    let (sets, pods) = (sets(&world).await, world.pods().await);
    sets.create(&PostParams::default(), &daemons(json!({})))
        .await
        .expect("created");
    let first = on(&pods, &["node-1", "node-2"]).await;
    pods.delete(&first["node-1"].name_any(), &DeleteParams::default())
        .await
        .expect("deleted");
    let second = eventually("it is made again", async || {
        let placed = placed(&pods).await;
        (placed.len() == 2 && uids(&placed) != uids(&first)).then_some(placed)
    })
    .await;
    assert_eq!(second["node-2"].uid(), first["node-2"].uid());
    let labelled = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
    let same = sets
        .patch("d", &PatchParams::default(), &labelled)
        .await
        .expect("patched");
    assert_eq!(same.metadata.generation, Some(1), "only the spec is counted");
    let image = Patch::Strategic(json!({"spec": {"template": {"spec": {
        "containers": [{"name": "main", "image": "example.com/daemon:2"}]}}}}));
    let changed = sets.patch("d", &PatchParams::default(), &image).await.expect("patched");
    assert_eq!(changed.metadata.generation, Some(2));
    let third = eventually("all are of the new template", async || {
        let placed = placed(&pods).await;
        let new = |pod: &Pod| pod.spec.as_ref().and_then(|s| s.containers[0].image.clone());
        (placed.len() == 2
            && placed
                .values()
                .all(|p| new(p).as_deref() == Some("example.com/daemon:2")))
        .then_some(placed)
    })
    .await;
    assert!(uids(&third).is_disjoint(&uids(&second)));
}

#[tokio::test]
async fn at_most_one_ready_daemon_is_missing_while_a_template_rolls() {
    let Some(world) = Embedded::alone("has other nodes than node-1 and node-2").await else {
        return;
    };
    let (sets, pods) = (sets(&world).await, world.pods().await);
    sets.create(&PostParams::default(), &daemons(json!({})))
        .await
        .expect("created");
    on(&pods, &["node-1", "node-2"]).await;
    // Nothing that is stopped ends before it may.
    world.runtime.permits.forget_permits(usize::MAX >> 3);
    let image = Patch::Strategic(json!({"spec": {"template": {"spec": {
        "containers": [{"name": "main", "image": "example.com/daemon:2"}]}}}}));
    sets.patch("d", &PatchParams::default(), &image).await.expect("patched");
    let list = pods.list(&ListParams::default()).await.expect("listed");
    let ending = list
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_some())
        .count();
    assert_eq!((list.items.len(), ending), (2, 1));
    world.runtime.permits.add_permits(100);
    eventually("it has rolled", async || {
        let status = sets.get("d").await.ok()?.status?;
        (status.updated_number_scheduled == Some(2) && status.number_ready == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_pods_of_a_deleted_set_go_with_it_unless_they_are_orphaned() {
    let Some(world) = Embedded::alone("has other nodes than node-1 and node-2").await else {
        return;
    };
    let (sets, pods) = (sets(&world).await, world.pods().await);
    for (policy, left) in [
        (PropagationPolicy::Orphan, 2),
        (PropagationPolicy::Background, 0),
        (PropagationPolicy::Foreground, 0),
    ] {
        sets.create(&PostParams::default(), &daemons(json!({})))
            .await
            .expect("created");
        on(&pods, &["node-1", "node-2"]).await;
        let how = DeleteParams {
            propagation_policy: Some(policy.clone()),
            ..DeleteParams::default()
        };
        sets.delete("d", &how).await.expect("deleted");
        eventually("the set is gone", async || {
            sets.get_opt("d").await.expect("answered").is_none().then_some(())
        })
        .await;
        let list = eventually("the pods are as asked", async || {
            let list = pods.list(&ListParams::default()).await.expect("listed");
            (list.items.len() == left).then_some(list)
        })
        .await;
        for pod in list {
            assert!(pod.owner_references().is_empty(), "{policy:?}");
            pods.delete(&pod.name_any(), &DeleteParams::default().grace_period(0))
                .await
                .expect("deleted");
        }
        eventually("all are gone", async || {
            pods.list(&ListParams::default())
                .await
                .expect("listed")
                .items
                .is_empty()
                .then_some(())
        })
        .await;
    }
    assert_eq!(refusal(sets.get("d").await).2, "daemonsets.apps \"d\" not found");
}
