use std::time::Duration;

use http::Method;

use crate::world::{Ask, TRUST_NODE, World};

const S3_READ: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_change_is_told_at_once_and_seen_when_it_has_arrived() {
    let world = World::start().await;
    let pod = world.pod().await;
    world.front.set_propagation(seconds(10));
    let policy = [("RoleName", "pod"), ("PolicyArn", S3_READ)];
    world.iam("AttachRolePolicy", &policy).await;
    let listed = world.iam("ListAttachedRolePolicies", &policy[..1]).await;
    assert_eq!(listed.element("PolicyName"), Some("AmazonS3ReadOnlyAccess"));
    assert_eq!(world.get(&pod, "/").await.status, 403);
    world.clock.advance(seconds(6));
    world.iam("DetachRolePolicy", &policy).await;
    assert_eq!(world.get(&pod, "/").await.status, 403);
    world.clock.advance(seconds(6));
    assert_eq!(world.get(&pod, "/").await.status, 200, "the first change has arrived");
    world.clock.advance(seconds(6));
    assert_eq!(world.get(&pod, "/").await.status, 403, "the second one too");
}

#[tokio::test]
async fn a_new_role_is_assumed_and_a_deleted_one_is_left_late() {
    let world = World::start().await;
    let node = world.node().await;
    world.front.set_propagation(seconds(10));
    let params = [("RoleName", "pod"), ("AssumeRolePolicyDocument", TRUST_NODE)];
    world.iam("CreateRole", &params).await;
    assert_eq!(world.assume(&node, "pod", &[]).await.error(), (403, "AccessDenied"));
    world.clock.advance(seconds(10));
    let pod = world.assume(&node, "pod", &[]).await.keys();
    world.iam("DeleteRole", &params[..1]).await;
    assert_eq!(world.query(&pod, "sts", "GetCallerIdentity", &[]).await.status, 200);
    world.clock.advance(seconds(10));
    let gone = world.query(&pod, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(gone.error(), (403, "InvalidClientTokenId"));
}

#[tokio::test]
async fn an_instance_gets_the_role_that_its_profile_is_seen_to_have() {
    let world = World::start().await;
    world.node().await;
    world.front.set_propagation(seconds(10));
    let params = [("InstanceProfileName", "nodes"), ("RoleName", "node")];
    world.iam("RemoveRoleFromInstanceProfile", &params).await;
    assert!(world.front.instance_credentials("nodes", "i-1").await.is_ok());
    world.clock.advance(seconds(10));
    assert!(world.front.instance_credentials("nodes", "i-1").await.is_err());
}

#[tokio::test]
async fn without_delay_all_that_was_under_way_is_there() {
    let world = World::start().await;
    let pod = world.pod().await;
    world.front.set_propagation(seconds(3600));
    world
        .iam("AttachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", S3_READ)])
        .await;
    assert_eq!(world.get(&pod, "/").await.status, 403);
    world.front.set_propagation(Duration::ZERO);
    assert_eq!(world.get(&pod, "/").await.status, 200);
}

#[tokio::test]
async fn buckets_are_no_business_of_iam_and_never_late() {
    let world = World::start().await;
    world.front.set_propagation(Duration::MAX);
    world.ask(&world.root, Ask::s3(Method::PUT, "/reports")).await;
    assert_eq!(world.get(&world.root, "/").await.element("Name"), Some("reports"));
    world.iam("CreateUser", &[("UserName", "alice")]).await;
    assert_eq!(world.get(&world.root, "/").await.status, 200);
}
