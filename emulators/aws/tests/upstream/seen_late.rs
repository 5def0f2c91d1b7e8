use std::time::Duration;

use rolecall_aws::{Enforcement, Verdict};

use crate::localstack::{local, local_with};

const READ: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

#[tokio::test]
async fn a_change_of_iam_is_seen_when_it_has_arrived() {
    let Some(local) = local().await else { return };
    let world = &local.world;
    let alice = world.user("alice").await;
    assert_eq!(world.get(&alice, "/").await.status, 403);
    world.front.set_propagation(Duration::from_secs(2));
    world
        .iam("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", READ)])
        .await;
    let told = world.iam("ListAttachedUserPolicies", &[("UserName", "alice")]).await;
    assert!(told.body.contains(READ), "IAM itself knows at once: {}", told.body);
    assert_eq!(world.get(&alice, "/").await.status, 403);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.get(&alice, "/").await.status, 200);
    world
        .iam("DetachUserPolicy", &[("UserName", "alice"), ("PolicyArn", READ)])
        .await;
    assert_eq!(world.get(&alice, "/").await.status, 200);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.get(&alice, "/").await.status, 403);
    local.end().await;
}

#[tokio::test]
async fn an_instances_keys_assume_what_trusts_its_role_and_end_with_the_worlds_time() {
    let Some(local) = local().await else { return };
    let node = local.node("node").await;
    let trusted = format!(r#"{{"AWS":"arn:aws:iam::{}:role/node"}}"#, local.account);
    let arn = local.role("pod", &trusted).await;
    local
        .world
        .iam("AttachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", READ)])
        .await;
    let assumed = local.assume(&node, &arn, &[]).await;
    let pod = assumed.keys();
    let identity = local.world.query(&pod, "sts", "GetCallerIdentity", &[]).await;
    let expected = format!("arn:aws:sts::{}:assumed-role/pod/session", local.account);
    assert_eq!(identity.element("Arn"), Some(expected.as_str()));
    assert_eq!(local.world.get(&pod, "/").await.status, 200);
    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    let behind = local.behind(&pod.id, "sts", http::Method::POST, "/", who).await;
    assert!(behind.contains(&expected), "the upstream knows the keys too: {behind}");
    local.world.clock.advance(Duration::from_secs(3600));
    assert_eq!(local.world.get(&pod, "/").await.error(), (400, "ExpiredToken"));
    assert!(
        local.assume(&node, &arn, &[]).await.status == 200,
        "the instance's keys last six hours"
    );
    local.end().await;
}

#[tokio::test]
async fn with_enforcement_off_a_denial_is_told_and_passes() {
    let Some(local) = local_with(Enforcement::Off).await else {
        return;
    };
    let alice = local.world.user("alice").await;
    let reply = local.world.get(&alice, "/").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let record = local
        .world
        .front
        .decision(reply.header("x-amz-request-id"))
        .expect("it is kept");
    assert_eq!(
        (record.verdict.clone(), record.action.as_str()),
        (Verdict::LetThrough, "s3:ListAllMyBuckets")
    );
    assert!(
        record.to_string().contains("let through: enforcement is off"),
        "{record}"
    );
    local.end().await;
}

#[tokio::test]
async fn a_decision_tells_who_asked_what_and_which_version_of_which_policy_decided() {
    let Some(local) = local().await else { return };
    let alice = local.world.user("alice").await;
    local
        .world
        .iam("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", READ)])
        .await;
    let reply = local.world.get(&alice, "/").await;
    let record = local
        .world
        .front
        .decision(reply.header("x-amz-request-id"))
        .expect("it is kept");
    let told = record.to_string();
    for part in [
        format!("arn:aws:iam::{}:user/alice", local.account),
        "s3:ListAllMyBuckets on arn:aws:s3:::*".to_owned(),
        "managed policy AmazonS3ReadOnlyAccess v3".to_owned(),
        "consulted as identity-based policy".to_owned(),
    ] {
        assert!(told.contains(&part), "{part}: {told}");
    }
    local.end().await;
}
