//! Tokens in pods: what the server mounts, what it refuses, and what the kubelet brings into the sandbox.

use std::{collections::BTreeMap, time::Duration};

use kube::{ResourceExt, api::PostParams};
use rolecall_kubernetes::{ExposeSecret, PodFile, User};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    embedded::{Embedded, eventually, pod, refusal, running},
    world::World,
};

const DEFAULT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

async fn made(world: &World, with: Value) -> Value {
    let made = world.pods().await.create(&PostParams::default(), &pod("p", with)).await;
    serde_json::to_value(made.expect("created")).expect("JSON")
}

#[tokio::test]
async fn every_container_gets_the_token_of_its_account_mounted() {
    let world = World::start().await;
    let pod = made(
        &world,
        json!({"spec": {"initContainers": [{"name": "i", "image": "example.com/app:1"}]}}),
    )
    .await;
    let volume = &pod["spec"]["volumes"][0];
    let name = volume["name"].as_str().expect("a name");
    assert!(name.starts_with("kube-api-access-") && name.len() == 21, "{name}");
    let expected = json!({"sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [
            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
        ]}},
    ], "defaultMode": 420});
    assert_eq!(volume["projected"], expected);
    for list in ["initContainers", "containers"] {
        let mounts = &pod["spec"][list][0]["volumeMounts"];
        assert_eq!(*mounts, json!([{"name": name, "readOnly": true, "mountPath": DEFAULT}]));
    }
}

#[tokio::test]
async fn a_pod_that_wants_no_token_or_has_its_own_in_that_place_gets_none_mounted() {
    let world = World::start().await;
    let without = made(&world, json!({"spec": {"automountServiceAccountToken": false}})).await;
    assert!(without["spec"].get("volumes").is_none(), "{without}");
    let own = pod(
        "own",
        json!({"spec": {
            "volumes": [{"name": "e", "emptyDir": {}}],
            "containers": [{"name": "main", "image": "example.com/app:1",
                "volumeMounts": [{"name": "e", "mountPath": DEFAULT}]}],
        }}),
    );
    let own = world
        .pods()
        .await
        .create(&PostParams::default(), &own)
        .await
        .expect("created");
    let volumes = own.spec.and_then(|spec| spec.volumes).unwrap_or_default();
    assert_eq!(volumes.len(), 1);
}

#[rstest]
#[case::short(json!({"serviceAccountToken": {"expirationSeconds": 5, "path": "p"}}),
    "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes")]
#[case::no_path(json!({"serviceAccountToken": {"path": ""}}), "spec.volumes[0].projected.path: Required value")]
#[case::upwards(json!({"serviceAccountToken": {"path": "../x"}}),
    "spec.volumes[0].projected.path: Invalid value: \"../x\": must not contain '..'")]
#[case::absolute(json!({"serviceAccountToken": {"path": "/x"}}),
    "spec.volumes[0].projected.path: Invalid value: \"/x\": must be a relative path")]
#[tokio::test]
async fn a_volume_that_cannot_be_is_refused_in_the_servers_words(#[case] source: Value, #[case] message: &str) {
    let world = World::start().await;
    let wrong = pod(
        "p",
        json!({"spec": {"volumes": [{"name": "t", "projected": {"sources": [source]}}]}}),
    );
    let refused = refusal(world.pods().await.create(&PostParams::default(), &wrong).await);
    assert_eq!(refused.0, 422);
    assert_eq!(refused.2, format!("Pod \"p\" is invalid: {message}"));
}

#[tokio::test]
async fn a_mount_of_no_volume_and_two_in_one_place_are_refused() {
    let world = World::start().await;
    let wrong = pod(
        "p",
        json!({"spec": {
            "volumes": [{"name": "t", "emptyDir": {}}],
            "containers": [{"name": "main", "image": "example.com/app:1", "volumeMounts": [
                {"name": "nope", "mountPath": ""},
                {"name": "t", "mountPath": "/a"},
                {"name": "t", "mountPath": "/a"},
            ]}],
        }}),
    );
    let refused = refusal(world.pods().await.create(&PostParams::default(), &wrong).await);
    let message = "Pod \"p\" is invalid: [spec.containers[0].volumeMounts[0].name: Not found: \"nope\", spec.containers[0].volumeMounts[0].mountPath: Required value, spec.containers[0].volumeMounts[2].mountPath: Invalid value: \"/a\": must be unique]";
    assert_eq!((refused.0, refused.2.as_str()), (422, message));
}

/// The files that the runtime has of a pod.
fn files(world: &Embedded, uid: &str) -> BTreeMap<String, PodFile> {
    let files = world.runtime.files.lock().expect("sane");
    let files = files.get(uid).into_iter().flatten();
    files.map(|file| (file.path.clone(), file.clone())).collect()
}

fn with_vault_token() -> Value {
    json!({"spec": {
        "volumes": [{"name": "vault", "projected": {"defaultMode": 0o400, "sources": [
            {"serviceAccountToken": {"audience": "vault", "expirationSeconds": 600, "path": "token"}},
        ]}}],
        "containers": [{"name": "main", "image": "example.com/app:1",
            "volumeMounts": [{"name": "vault", "mountPath": "/var/run/secrets/vault/"}]}],
    }})
}

fn audience(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.split('.').nth(1).expect("three parts");
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON");
    claims["aud"].clone()
}

#[tokio::test]
async fn the_runtime_is_given_the_files_of_a_pod() {
    let Some(world) = Embedded::alone("has a kubelet of its own").await else {
        return;
    };
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod("p", with_vault_token()))
        .await
        .expect("created");
    let uid = running(&pods, "p").await.uid().expect("a UID");
    let files = files(&world, &uid);
    let shown: Vec<(&str, u32)> = files.values().map(|file| (file.path.as_str(), file.mode)).collect();
    assert_eq!(
        shown,
        [
            ("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", 0o644),
            ("/var/run/secrets/kubernetes.io/serviceaccount/namespace", 0o644),
            ("/var/run/secrets/kubernetes.io/serviceaccount/token", 0o644),
            ("/var/run/secrets/vault/token", 0o400),
        ]
    );
    let contents = |path: &str| files[path].contents.expose_secret();
    assert_eq!(contents(&format!("{DEFAULT}/ca.crt")), world.cluster.ca_pem());
    assert_eq!(contents(&format!("{DEFAULT}/namespace")), "default");
    assert_eq!(
        audience(contents(&format!("{DEFAULT}/token"))),
        json!([world.cluster.issuer()])
    );
    assert_eq!(audience(contents("/var/run/secrets/vault/token")), json!(["vault"]));
    let shown = format!("{files:?}");
    assert!(!shown.contains(contents("/var/run/secrets/vault/token")), "{shown}");
}

#[tokio::test]
async fn tokens_are_made_anew_when_four_fifths_of_their_time_are_over() {
    let Some(world) = Embedded::alone("has a clock that cannot be moved").await else {
        return;
    };
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod("p", with_vault_token()))
        .await
        .expect("created");
    let uid = running(&pods, "p").await.uid().expect("a UID");
    let token = || {
        files(&world, &uid)["/var/run/secrets/vault/token"]
            .contents
            .expose_secret()
            .to_owned()
    };
    let first = token();
    world.clock.advance(Duration::from_secs(470));
    tokio::time::sleep(rolecall_kubernetes::ROTATION_CHECK * 3).await;
    assert_eq!(token(), first, "not before its time");
    world.clock.advance(Duration::from_secs(11));
    eventually("the token is another", async || (token() != first).then_some(())).await;
    assert_eq!(files(&world, &uid).len(), 4, "all files are given again");
    let admin = world.client(User::Admin).await;
    for (token, good) in [(token(), true), (first, true)] {
        let review = json!({"spec": {"token": token, "audiences": ["vault"]}});
        let request = http::Request::post("/apis/authentication.k8s.io/v1/tokenreviews");
        let request = request.body(review.to_string().into_bytes()).expect("a request");
        let answer: Value = admin.request(request).await.expect("reviewed");
        assert_eq!(answer["status"]["authenticated"].as_bool(), Some(good), "{answer}");
    }
}
