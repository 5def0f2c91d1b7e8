//! The life of a pod, and what the API server refuses.

use std::{collections::BTreeSet, time::Duration};

use crate::embedded::{Embedded, PATIENCE, address, eventually, phase, pod, refusal, running};
use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod, ServiceAccount};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use rolecall_kubernetes::{REQUESTED_ADDRESSES, User};
use rstest::rstest;
use serde_json::{Value, json};

fn namespace(name: &str) -> Namespace {
    serde_json::from_value(json!({"metadata": {"name": name}})).expect("a namespace")
}

#[tokio::test]
async fn a_pod_runs_with_an_address_of_its_node() {
    let world = Embedded::start().await;
    let pods = world.pods().await;
    let made = pods
        .create(&PostParams::default(), &pod("a", json!({})))
        .await
        .expect("created");
    assert_eq!((phase(&made), address(&made)), ("Pending", ""));
    let pod = running(&pods, "a").await;
    assert_eq!(address(&pod), "10.244.2.2");
    let status = pod.status.as_ref().expect("a status");
    assert_eq!(status.host_ip.as_deref(), Some("172.20.0.12"));
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
    assert_eq!(
        pod.metadata
            .uid
            .as_ref()
            .map(|uid| world.runtime.running.lock().expect("sane").contains(uid)),
        Some(true)
    );
}

#[tokio::test]
async fn a_pod_of_the_host_network_has_the_address_of_its_node() {
    let world = Embedded::start().await;
    let pods = world.pods().await;
    let host = pod("host", json!({"spec": {"hostNetwork": true, "nodeName": "node-2"}}));
    pods.create(&PostParams::default(), &host).await.expect("created");
    assert_eq!(address(&running(&pods, "host").await), "172.20.0.13");
}

#[tokio::test]
async fn a_recreated_pod_has_another_uid_and_an_address_not_used_before() {
    let world = Embedded::start().await;
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
    assert!(world.runtime.running.lock().expect("sane").is_empty());
}

#[tokio::test]
async fn a_pod_may_ask_for_the_address_of_another() {
    let world = Embedded::start().await;
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
    let world = Embedded::start().await;
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
    let world = Embedded::start().await;
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
    let world = Embedded::start().await;
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
    for (grace, expected) in [(20, vec![20]), (25, vec![20]), (1, vec![20, 1])] {
        pods.delete("slow", &DeleteParams::default().grace_period(grace))
            .await
            .expect("deleted");
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
    let world = Embedded::start().await;
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
    let world = Embedded::start().await;
    let client = world.client(User::Admin).await;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let pods: Api<Pod> = Api::namespaced(client.clone(), "team");
    namespaces
        .create(&PostParams::default(), &namespace("team"))
        .await
        .expect("created");
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "team");
    assert!(accounts.get_opt("default").await.expect("answered").is_some());
    pods.create(&PostParams::default(), &pod("a", json!({})))
        .await
        .expect("created");
    running(&pods, "a").await;
    world.runtime.permits.forget_permits(usize::MAX);
    namespaces
        .delete("team", &DeleteParams::default())
        .await
        .expect("deleted");
    let ending = namespaces.get("team").await.expect("still there");
    assert_eq!(
        ending.status.and_then(|status| status.phase).as_deref(),
        Some("Terminating")
    );
    let (code, reason, message) = refusal(pods.create(&PostParams::default(), &pod("b", json!({}))).await);
    assert_eq!((code, reason.as_str()), (403, "Forbidden"));
    assert!(message.ends_with("because it is being terminated"), "{message}");
    world.runtime.permits.add_permits(1);
    eventually("the namespace is gone", async || {
        namespaces
            .get_opt("team")
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

#[rstest]
#[case::no_namespace("none", json!({}), 404, "NotFound", "namespaces \"none\" not found")]
#[case::no_containers("default", json!({"spec": {"containers": []}}), 422, "Invalid",
    "Pod \"p\" is invalid: spec.containers: Required value")]
#[case::no_image("default", json!({"spec": {"containers": [{"name": "c"}]}}), 422, "Invalid",
    "Pod \"p\" is invalid: spec.containers[0].image: Required value")]
#[case::no_such_account("default", json!({"spec": {"serviceAccountName": "ghost"}}), 403, "Forbidden",
    "pods \"p\" is forbidden: error looking up service account default/ghost: serviceaccount \"ghost\" not found")]
#[case::bad_restart_policy("default", json!({"spec": {"restartPolicy": "Perhaps"}}), 422, "Invalid",
    "Pod \"p\" is invalid: spec.restartPolicy: Unsupported value: \"Perhaps\": supported values: \"Always\", \"OnFailure\", \"Never\"")]
#[tokio::test]
async fn a_pod_that_cannot_be_is_refused_in_the_servers_words(
    #[case] namespace: &str,
    #[case] with: Value,
    #[case] code: u16,
    #[case] reason: &str,
    #[case] message: &str,
) {
    let world = Embedded::start().await;
    let pods: Api<Pod> = Api::namespaced(world.client(User::Admin).await, namespace);
    let refused = refusal(pods.create(&PostParams::default(), &pod("p", with)).await);
    assert_eq!(refused, (code, reason.to_owned(), message.to_owned()));
}

#[rstest]
#[case("Upper", "a lowercase RFC 1123 subdomain must consist of")]
#[case("-edge", "a lowercase RFC 1123 subdomain must consist of")]
#[case("", "Required value: name or generateName is required")]
#[tokio::test]
async fn a_name_that_is_no_dns_name_is_refused(#[case] name: &str, #[case] expected: &str) {
    let world = Embedded::start().await;
    let (code, _, message) = refusal(
        world
            .pods()
            .await
            .create(&PostParams::default(), &pod(name, json!({})))
            .await,
    );
    assert_eq!(code, 422);
    assert!(
        message.contains("metadata.name") && message.contains(expected),
        "{message}"
    );
}

#[tokio::test]
async fn generate_name_makes_names_of_its_own() {
    let world = Embedded::start().await;
    let pods = world.pods().await;
    let template = pod("", json!({"metadata": {"name": null, "generateName": "web-"}}));
    let mut names = BTreeSet::new();
    for _ in 0..3 {
        let made = pods.create(&PostParams::default(), &template).await.expect("created");
        assert!(
            made.name_any().starts_with("web-") && made.name_any().len() == 9,
            "{}",
            made.name_any()
        );
        names.insert(made.name_any());
    }
    assert_eq!(names.len(), 3);
}

#[tokio::test]
async fn a_second_pod_of_a_name_and_an_update_of_an_old_version_conflict() {
    let world = Embedded::start().await;
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod("one", json!({})))
        .await
        .expect("created");
    let (code, reason, _) = refusal(pods.create(&PostParams::default(), &pod("one", json!({}))).await);
    assert_eq!((code, reason.as_str()), (409, "AlreadyExists"));
    let mut old = running(&pods, "one").await;
    let patch = Patch::Merge(json!({"metadata": {"labels": {"a": "1"}}}));
    let new = pods
        .patch("one", &PatchParams::default(), &patch)
        .await
        .expect("patched");
    old.labels_mut().insert("b".to_owned(), "2".to_owned());
    let (code, reason, message) = refusal(pods.replace("one", &PostParams::default(), &old).await);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    assert!(message.contains("the object has been modified"), "{message}");
    let again = pods
        .patch("one", &PatchParams::default(), &patch)
        .await
        .expect("patched");
    assert_eq!(
        again.resource_version(),
        new.resource_version(),
        "what changes nothing has no new version"
    );
}

#[tokio::test]
async fn the_spec_and_the_status_are_changed_apart() {
    let world = Embedded::start().await;
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod("p", json!({})))
        .await
        .expect("created");
    running(&pods, "p").await;
    let both = Patch::Merge(json!({"spec": {"activeDeadlineSeconds": 9}, "status": {"phase": "Succeeded"}}));
    let main = pods.patch("p", &PatchParams::default(), &both).await.expect("patched");
    let deadline = |pod: &Pod| pod.spec.as_ref().and_then(|spec| spec.active_deadline_seconds);
    assert_eq!((phase(&main), deadline(&main)), ("Running", Some(9)));
    let both = Patch::Merge(json!({"spec": {"activeDeadlineSeconds": 8}, "status": {"phase": "Succeeded"}}));
    let status = pods
        .patch_status("p", &PatchParams::default(), &both)
        .await
        .expect("patched");
    assert_eq!((phase(&status), deadline(&status)), ("Succeeded", Some(9)));
    let moved = Patch::Merge(json!({"spec": {"nodeName": "node-2"}}));
    let (code, _, message) = refusal(pods.patch("p", &PatchParams::default(), &moved).await);
    assert_eq!(code, 422);
    assert!(
        message.contains("spec: Forbidden: pod updates may not change fields other than"),
        "{message}"
    );
}

#[tokio::test]
async fn server_side_apply_is_not_understood_rather_than_half_done() {
    let world = Embedded::start().await;
    let apply = Patch::Apply(pod("p", json!({"apiVersion": "v1", "kind": "Pod"})));
    let refused = refusal(world.pods().await.patch("p", &PatchParams::apply("test"), &apply).await);
    assert_eq!((refused.0, refused.1.as_str()), (415, "UnsupportedMediaType"));
}

#[tokio::test]
async fn the_control_plane_is_tainted_and_every_node_is_ready() {
    let world = Embedded::start().await;
    let nodes: Api<Node> = Api::all(world.client(User::Proxy).await);
    let nodes = tokio::time::timeout(PATIENCE, nodes.list(&ListParams::default()))
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
