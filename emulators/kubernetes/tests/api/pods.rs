//! The life of a pod on its node.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    embedded::{Embedded, Sandboxes, address, eventually, node, phase, pod, refusal, running},
    world::{World, patience},
};
use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod, ServiceAccount};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use rolecall_accept::CancellationToken;
use rolecall_kubernetes::{REQUESTED_ADDRESSES, User};
use rstest::rstest;
use serde_json::json;

#[tokio::test]
async fn a_pod_runs_with_an_address_of_its_node() {
    let world = World::start().await;
    let pods = world.pods().await;
    let made = pods
        .create(&PostParams::default(), &pod("a", json!({})))
        .await
        .expect("created");
    assert_eq!((phase(&made), address(&made)), ("Pending", ""));
    let pod = running(&pods, "a").await;
    let status = pod.status.as_ref().expect("a status");
    assert_eq!(status.pod_ips.as_ref().map(Vec::len), Some(1));
    assert!(
        status
            .container_statuses
            .iter()
            .flatten()
            .all(|container| container.ready)
    );
    assert!(
        status
            .conditions
            .iter()
            .flatten()
            .any(|c| c.type_ == "Ready" && c.status == "True")
    );
    let Some(embedded) = world.embedded() else { return };
    assert_eq!(
        (address(&pod), status.host_ip.as_deref()),
        ("10.244.2.2", Some("172.20.0.12"))
    );
    let uid = pod.metadata.uid.as_ref().expect("a UID");
    assert!(embedded.runtime.running.lock().expect("sane").contains(uid));
}

#[tokio::test]
async fn a_pod_of_the_host_network_has_the_address_of_its_node() {
    let Some(world) = Embedded::alone("has other nodes and addresses").await else {
        return;
    };
    let pods = world.pods().await;
    let host = pod("host", json!({"spec": {"hostNetwork": true, "nodeName": "node-2"}}));
    pods.create(&PostParams::default(), &host).await.expect("created");
    assert_eq!(address(&running(&pods, "host").await), "172.20.0.13");
}

#[tokio::test]
async fn a_recreated_pod_has_another_uid_and_an_address_not_used_before() {
    let world = World::start().await;
    let pods = world.pods().await;
    let (mut addresses, mut uids) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..5 {
        pods.create(&PostParams::default(), &pod("again", json!({})))
            .await
            .expect("created");
        let pod = running(&pods, "again").await;
        addresses.insert(address(&pod).to_owned());
        uids.insert(pod.uid());
        pods.delete("again", &DeleteParams::default().grace_period(0))
            .await
            .expect("deleted");
        eventually("it is gone", async || {
            pods.get_opt("again").await.expect("answered").is_none().then_some(())
        })
        .await;
    }
    assert_eq!((addresses.len(), uids.len()), (5, 5), "{addresses:?}");
    if let Some(embedded) = world.embedded() {
        assert!(embedded.runtime.running.lock().expect("sane").is_empty());
    }
}

#[tokio::test]
async fn a_pod_may_ask_for_the_address_of_another() {
    let Some(world) = Embedded::alone("has other nodes and addresses").await else {
        return;
    };
    let pods = world.pods().await;
    let asking = |name: &str, ips: &str| pod(name, json!({"metadata": {"annotations": {(REQUESTED_ADDRESSES): ips}}}));
    pods.create(&PostParams::default(), &pod("first", json!({})))
        .await
        .expect("created");
    let first = address(&running(&pods, "first").await).to_owned();
    pods.create(
        &PostParams::default(),
        &asking("second", &json!([first, "fd00::2"]).to_string()),
    )
    .await
    .expect("created");
    let second = running(&pods, "second").await;
    assert_eq!(address(&second), first);
    let ips: Vec<String> = second
        .status
        .and_then(|s| s.pod_ips)
        .into_iter()
        .flatten()
        .map(|ip| ip.ip)
        .collect();
    assert_eq!(ips, [first.as_str(), "fd00::2"]);
    // The address is the first pod's still, whatever the second one does.
    pods.delete("second", &DeleteParams::default().grace_period(0))
        .await
        .expect("deleted");
    pods.create(&PostParams::default(), &pod("third", json!({})))
        .await
        .expect("created");
    assert_ne!(address(&running(&pods, "third").await), first);
}

#[tokio::test]
async fn a_pod_that_cannot_be_started_has_failed_and_says_why() {
    let Some(world) = Embedded::alone("has a kubelet of its own").await else {
        return;
    };
    let pods = world.pods().await;
    let broken = pod(
        "broken",
        json!({"spec": {"containers": [{"name": "main", "image": "broken"}]}}),
    );
    pods.create(&PostParams::default(), &broken).await.expect("created");
    let failed = eventually("it fails", async || {
        pods.get("broken").await.ok().filter(|pod| phase(pod) == "Failed")
    })
    .await;
    assert_eq!(
        failed.status.and_then(|status| status.message).as_deref(),
        Some("no such image: broken")
    );
}

#[rstest]
#[case::gracefully(None, 30)]
#[case::at_once(Some(0), 0)]
#[tokio::test]
async fn a_deletion_is_announced_then_the_pod_is_stopped_then_it_is_gone(
    #[case] grace: Option<u32>,
    #[case] seconds: i64,
) {
    let Some(world) = Embedded::alone("has a kubelet of its own").await else {
        return;
    };
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod("ending", json!({})))
        .await
        .expect("created");
    let from = running(&pods, "ending").await.resource_version().expect("a version");
    let stream = pods.watch(&WatchParams::default(), &from).await.expect("a watch");
    pin_mut!(stream);
    // The runtime takes its time.
    world.runtime.permits.forget_permits(usize::MAX);
    let params = DeleteParams {
        grace_period_seconds: grace,
        ..DeleteParams::default()
    };
    pods.delete("ending", &params).await.expect("deleted");
    let Some(Ok(WatchEvent::Modified(marked))) = stream.next().await else {
        panic!("not announced")
    };
    assert!(marked.metadata.deletion_timestamp.is_some());
    assert_eq!(marked.metadata.deletion_grace_period_seconds, Some(seconds));
    eventually("it is being stopped", async || {
        (*world.runtime.stops.lock().expect("sane") == [Duration::from_secs(seconds.unsigned_abs())]).then_some(())
    })
    .await;
    assert!(
        pods.get_opt("ending").await.expect("answered").is_some(),
        "gone before it was stopped"
    );
    world.runtime.permits.add_permits(1);
    eventually("it is gone", async || {
        pods.get_opt("ending").await.expect("answered").is_none().then_some(())
    })
    .await;
    // Whoever has seen the 404 finds the event in the history.
    let Some(Ok(WatchEvent::Deleted(last))) = stream.next().await else {
        panic!("no event")
    };
    assert_eq!(last.uid(), marked.uid());
}

#[tokio::test]
async fn a_grace_period_is_shortened_by_a_second_deletion_and_never_prolonged() {
    let Some(world) = Embedded::alone("has a kubelet of its own").await else {
        return;
    };
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod("slow", json!({})))
        .await
        .expect("created");
    running(&pods, "slow").await;
    world.runtime.permits.forget_permits(usize::MAX);
    let stops = || {
        world
            .runtime
            .stops
            .lock()
            .expect("sane")
            .iter()
            .map(Duration::as_secs)
            .collect::<Vec<_>>()
    };
    for (grace, shown, expected) in [(20, 20, vec![20]), (25, 20, vec![20]), (1, 1, vec![20, 1])] {
        let params = DeleteParams::default().grace_period(grace);
        let answer = pods
            .delete("slow", &params)
            .await
            .expect("deleted")
            .left()
            .expect("a pod");
        assert_eq!(answer.metadata.deletion_grace_period_seconds, Some(shown));
        eventually(&format!("stops are {expected:?}"), async || {
            (stops() == expected).then_some(())
        })
        .await;
    }
    world.runtime.permits.add_permits(1);
    eventually("it is gone", async || {
        pods.get_opt("slow").await.expect("answered").is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_pod_with_a_finalizer_stays_until_it_is_taken_off() {
    let Some(world) = Embedded::alone("has a kubelet of its own").await else {
        return;
    };
    let pods = world.pods().await;
    let kept = pod("kept", json!({"metadata": {"finalizers": ["example.com/audit"]}}));
    pods.create(&PostParams::default(), &kept).await.expect("created");
    running(&pods, "kept").await;
    pods.delete("kept", &DeleteParams::default()).await.expect("deleted");
    eventually("it is stopped", async || {
        world.runtime.running.lock().expect("sane").is_empty().then_some(())
    })
    .await;
    assert!(
        pods.get("kept")
            .await
            .expect("there")
            .metadata
            .deletion_timestamp
            .is_some()
    );
    let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    pods.patch("kept", &PatchParams::default(), &patch)
        .await
        .expect("patched");
    assert!(pods.get_opt("kept").await.expect("answered").is_none());
}

#[tokio::test]
async fn a_namespace_takes_its_pods_with_it() {
    let world = World::start().await;
    let client = world.client(User::Admin).await;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let team = &world.namespace;
    let pods = world.pods().await;
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), team);
    assert!(accounts.get_opt("default").await.expect("answered").is_some());
    pods.create(&PostParams::default(), &pod("a", json!({})))
        .await
        .expect("created");
    running(&pods, "a").await;
    let kept = pod("kept", json!({"metadata": {"finalizers": ["example.com/audit"]}}));
    pods.create(&PostParams::default(), &kept).await.expect("created");
    namespaces
        .delete(team, &DeleteParams::default())
        .await
        .expect("deleted");
    let ending = namespaces.get(team).await.expect("still there");
    assert_eq!(
        ending.status.and_then(|status| status.phase).as_deref(),
        Some("Terminating")
    );
    let (code, reason, message) = refusal(pods.create(&PostParams::default(), &pod("b", json!({}))).await);
    assert_eq!((code, reason.as_str()), (403, "Forbidden"));
    assert!(message.ends_with("because it is being terminated"), "{message}");
    eventually("only what is kept is left", async || {
        (pods.list(&ListParams::default()).await.expect("listed").items.len() == 1).then_some(())
    })
    .await;
    let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    pods.patch("kept", &PatchParams::default(), &patch)
        .await
        .expect("patched");
    eventually("the namespace is gone", async || {
        namespaces
            .get_opt(team)
            .await
            .expect("answered")
            .is_none()
            .then_some(())
    })
    .await;
    assert!(
        pods.list(&ListParams::default())
            .await
            .expect("listed")
            .items
            .is_empty()
    );
}

#[tokio::test]
async fn the_control_plane_is_tainted_and_every_node_is_ready() {
    let Some(world) = Embedded::alone("has other nodes and addresses").await else {
        return;
    };
    let nodes: Api<Node> = Api::all(world.client(User::Proxy).await);
    let nodes = tokio::time::timeout(patience(), nodes.list(&ListParams::default()))
        .await
        .expect("in time")
        .expect("listed");
    let tainted: Vec<(String, bool)> = nodes
        .iter()
        .map(|node| {
            (
                node.name_any(),
                node.spec.as_ref().is_some_and(|spec| spec.taints.is_some()),
            )
        })
        .collect();
    assert_eq!(
        tainted,
        [
            ("master-1".to_owned(), true),
            ("node-1".to_owned(), false),
            ("node-2".to_owned(), false)
        ]
    );
    for node in &nodes {
        let ready = node
            .status
            .iter()
            .flat_map(|s| s.conditions.iter().flatten())
            .any(|c| c.type_ == "Ready" && c.status == "True");
        assert!(ready, "{}", node.name_any());
    }
}

#[tokio::test]
async fn a_kubelet_that_comes_back_adopts_what_runs_and_starts_what_waits() {
    let Some(world) = Embedded::alone("has a kubelet of its own").await else {
        return;
    };
    let client = world.client(User::Admin).await;
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let on = |name: &str| pod(name, json!({"spec": {"nodeName": "node-7"}}));
    let (first, second) = (Sandboxes::new(), Sandboxes::new());
    let stop = CancellationToken::new();
    let kubelet = tokio::spawn(
        world
            .cluster
            .run_kubelet(node("node-7", 7), first.clone(), stop.clone()),
    );
    pods.create(&PostParams::default(), &on("old")).await.expect("created");
    let old = running(&pods, "old").await;
    stop.cancel();
    kubelet.await.expect("ended");
    pods.create(&PostParams::default(), &on("new")).await.expect("created");
    tokio::spawn(
        world
            .cluster
            .run_kubelet(node("node-7", 7), second.clone(), world.stop.clone()),
    );
    let new = running(&pods, "new").await;
    assert_ne!(
        address(&new),
        address(&old),
        "the address of a running pod was given out again"
    );
    let started = |runtime: &Sandboxes| runtime.running.lock().expect("sane").clone();
    assert_eq!(
        started(&second).into_iter().collect::<Vec<_>>(),
        [new.uid().expect("a uid")]
    );
    pods.delete("old", &DeleteParams::default()).await.expect("deleted");
    eventually("it is gone", async || {
        pods.get_opt("old").await.expect("answered").is_none().then_some(())
    })
    .await;
    assert_eq!(second.stops.lock().expect("sane").len(), 1);
}

#[tokio::test]
async fn without_a_kubelet_a_pod_ends_only_by_force() {
    let Some(world) = Embedded::alone("has a kubelet of its own").await else {
        return;
    };
    let pods = world.pods().await;
    let lost = pod("lost", json!({"spec": {"nodeName": "node-9"}}));
    pods.create(&PostParams::default(), &lost).await.expect("created");
    pods.delete("lost", &DeleteParams::default()).await.expect("deleted");
    assert!(
        pods.get("lost")
            .await
            .expect("there")
            .metadata
            .deletion_timestamp
            .is_some()
    );
    pods.delete("lost", &DeleteParams::default().grace_period(0))
        .await
        .expect("deleted");
    assert!(pods.get_opt("lost").await.expect("answered").is_none());
}
