//! What the API server makes of a write, and what it refuses, in its own words.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use rolecall_kubernetes::User;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    embedded::{Embedded, phase, pod, refusal, running},
    world::World,
};

#[rstest]
#[case::no_namespace("none", json!({}), 404, "NotFound", "namespaces \"none\" not found")]
#[case::no_containers("", json!({"spec": {"containers": []}}), 422, "Invalid",
    "Pod \"p\" is invalid: spec.containers: Required value")]
#[case::no_image("", json!({"spec": {"containers": [{"name": "c"}]}}), 422, "Invalid",
    "Pod \"p\" is invalid: spec.containers[0].image: Required value")]
#[case::no_such_account("", json!({"spec": {"serviceAccountName": "ghost"}}), 403, "Forbidden",
    "pods \"p\" is forbidden: error looking up service account NAMESPACE/ghost: serviceaccount \"ghost\" not found")]
#[case::bad_restart_policy("", json!({"spec": {"restartPolicy": "Perhaps"}}), 422, "Invalid",
    "Pod \"p\" is invalid: spec.restartPolicy: Unsupported value: \"Perhaps\": supported values: \"Always\", \"OnFailure\", \"Never\"")]
#[tokio::test]
async fn a_pod_that_cannot_be_is_refused_in_the_servers_words(
    #[case] namespace: &str,
    #[case] with: Value,
    #[case] code: u16,
    #[case] reason: &str,
    #[case] message: &str,
) {
    let world = World::start().await;
    let namespace = if namespace.is_empty() {
        &world.namespace
    } else {
        namespace
    };
    let message = message.replace("NAMESPACE", namespace);
    let pods: Api<Pod> = Api::namespaced(world.client(User::Admin).await, namespace);
    let refused = refusal(pods.create(&PostParams::default(), &pod("p", with)).await);
    assert_eq!(refused, (code, reason.to_owned(), message));
}

#[rstest]
#[case("Upper", "a lowercase RFC 1123 subdomain must consist of")]
#[case("-edge", "a lowercase RFC 1123 subdomain must consist of")]
#[case("", "Required value: name or generateName is required")]
#[tokio::test]
async fn a_name_that_is_no_dns_name_is_refused(#[case] name: &str, #[case] expected: &str) {
    let world = World::start().await;
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
    let world = World::start().await;
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
    let world = World::start().await;
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
    let world = World::start().await;
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
    let Some(world) = Embedded::alone("understands server-side apply").await else {
        return;
    };
    let apply = Patch::Apply(pod("p", json!({"apiVersion": "v1", "kind": "Pod"})));
    let refused = refusal(world.pods().await.patch("p", &PatchParams::apply("test"), &apply).await);
    assert_eq!((refused.0, refused.1.as_str()), (415, "UnsupportedMediaType"));
}

#[tokio::test]
async fn a_replaced_pod_keeps_what_the_server_had_filled_in() {
    let world = World::start().await;
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod("p", json!({})))
        .await
        .expect("created");
    let before = running(&pods, "p").await;
    let mut sent = before.clone();
    sent.annotations_mut()
        .insert("iam.amazonaws.com/role".to_owned(), "MyPodRole".to_owned());
    sent.status = None;
    if let Some(spec) = &mut sent.spec {
        (spec.restart_policy, spec.dns_policy) = (None, None);
    }
    let after = pods
        .replace("p", &PostParams::default(), &sent)
        .await
        .expect("replaced");
    assert_eq!((&after.spec, &after.status), (&before.spec, &before.status));
    assert_ne!(after.resource_version(), before.resource_version());
}
