use rolecall_aws::{Enforcement, Verdict};
use rstest::rstest;

use crate::world::{ACCOUNT, TRUST_EC2, TRUST_NODE, World};

const S3_READ: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

#[tokio::test]
async fn a_role_without_policy_is_denied_list_buckets() {
    let world = World::start().await;
    let pod = world.pod().await;
    let reply = world.get(&pod, "/").await;
    assert_eq!(reply.status, 403);
    let body = reply
        .body
        .replace(reply.element("RequestId").expect("an id"), "REQUEST")
        .replace(reply.element("HostId").expect("an id"), "HOST");
    insta::assert_snapshot!(body, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::123456789012:assumed-role/pod/session is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action</Message><RequestId>REQUEST</RequestId><HostId>HOST</HostId></Error>
    "#);
    assert_eq!(reply.element("HostId"), Some(reply.header("x-amz-id-2")));
    let record = world
        .front
        .decision(reply.header("x-amz-request-id"))
        .expect("it is kept");
    assert_eq!(record.verdict, Verdict::Denied);
    assert_eq!(record.action, "s3:ListAllMyBuckets");
    assert_eq!(record.caller.expect("a caller").role.as_deref(), Some("pod"));
    assert!(record.decision.is_some());
}

#[tokio::test]
async fn attaching_a_policy_opens_s3_for_keys_already_out() {
    let world = World::start().await;
    let pod = world.pod().await;
    assert_eq!(world.get(&pod, "/").await.status, 403);
    world
        .iam("AttachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", S3_READ)])
        .await;
    let reply = world.get(&pod, "/").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let record = world
        .front
        .decision(reply.header("x-amz-request-id"))
        .expect("it is kept");
    let attached = record.attached.expect("the policy that allowed");
    assert_eq!(attached.policy, "managed policy AmazonS3ReadOnlyAccess v3");
    world
        .iam("DetachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", S3_READ)])
        .await;
    assert_eq!(world.get(&pod, "/").await.status, 403);
}

#[tokio::test]
async fn with_enforcement_off_a_denial_is_recorded_and_let_through() {
    let world = World::with(Enforcement::Off).await;
    let pod = world.pod().await;
    let reply = world.get(&pod, "/").await;
    assert_eq!(reply.status, 200);
    let record = world
        .front
        .decision(reply.header("x-amz-request-id"))
        .expect("it is kept");
    assert_eq!(record.verdict, Verdict::LetThrough);
    assert!(
        record.to_string().contains("let through: enforcement is off"),
        "{record}"
    );
    assert!(!record.decision.expect("it was made").is_allowed());
}

#[rstest]
#[case::ec2_only(TRUST_EC2, false)]
#[case::the_node(TRUST_NODE, true)]
#[case::another_role(
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/other"},"Action":"sts:AssumeRole"}}"#,
    false
)]
#[case::the_account(
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}}"#,
    false
)]
#[tokio::test]
async fn the_trust_policy_decides_who_assumes_a_role(#[case] trust: &str, #[case] allowed: bool) {
    let world = World::start().await;
    let node = world.node().await;
    world
        .iam(
            "CreateRole",
            &[("RoleName", "pod"), ("AssumeRolePolicyDocument", trust)],
        )
        .await;
    let reply = world.assume(&node, "pod", &[]).await;
    assert_eq!(reply.status == 200, allowed, "{}", reply.body);
    if !allowed {
        assert_eq!(reply.error(), (403, "AccessDenied"));
        assert_eq!(
            reply.element("Message"),
            Some(
                "User: arn:aws:sts::123456789012:assumed-role/node/i-1 is not authorized to perform: sts:AssumeRole on \
                 resource: arn:aws:iam::123456789012:role/pod"
            )
        );
    }
}

#[tokio::test]
async fn a_role_that_trusts_the_account_needs_the_callers_own_permission() {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},
        "Action":"sts:AssumeRole"}]}"#;
    let may = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#;
    let world = World::start().await;
    let node = world.node().await;
    world
        .iam(
            "CreateRole",
            &[("RoleName", "pod"), ("AssumeRolePolicyDocument", trust)],
        )
        .await;
    assert_eq!(world.assume(&node, "pod", &[]).await.error(), (403, "AccessDenied"));
    let params = [("RoleName", "node"), ("PolicyName", "assume"), ("PolicyDocument", may)];
    world.iam("PutRolePolicy", &params).await;
    assert_eq!(world.assume(&node, "pod", &[]).await.status, 200);
}

#[tokio::test]
async fn an_absent_role_is_answered_like_a_forbidden_one_and_journalled_by_name() {
    let world = World::start().await;
    let node = world.node().await;
    let reply = world.assume(&node, "team/absent", &[]).await;
    assert_eq!(reply.error(), (403, "AccessDenied"));
    let journal = world.front.journal();
    let entry = journal.last().expect("an entry");
    assert_eq!(
        (entry.service.as_str(), entry.operation.as_str(), entry.answer.as_str()),
        ("sts", "AssumeRole", "AccessDenied")
    );
    assert_eq!(entry.role.as_deref(), Some("absent"));
    assert_eq!(entry.role_arn, Some(format!("arn:aws:iam::{ACCOUNT}:role/team/absent")));
    assert_eq!(entry.caller.as_ref().expect("the node").role.as_deref(), Some("node"));
}

#[tokio::test]
async fn a_permissions_boundary_limits_and_its_removal_does_not() {
    let world = World::start().await;
    let pod = world.pod().await;
    world
        .iam("AttachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", S3_READ)])
        .await;
    let boundary = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess";
    world
        .iam(
            "PutRolePermissionsBoundary",
            &[("RoleName", "pod"), ("PermissionsBoundary", boundary)],
        )
        .await;
    assert_eq!(world.get(&pod, "/").await.status, 403);
    world.iam("DeleteRolePermissionsBoundary", &[("RoleName", "pod")]).await;
    assert_eq!(world.get(&pod, "/").await.status, 200);
}

#[tokio::test]
async fn iam_itself_is_subject_to_policy() {
    let world = World::start().await;
    let pod = world.pod().await;
    let reply = world.query(&pod, "iam", "GetRole", &[("RoleName", "pod")]).await;
    assert_eq!(reply.error(), (403, "AccessDenied"));
    assert_eq!(
        reply.element("Message"),
        Some(
            "User: arn:aws:sts::123456789012:assumed-role/pod/session is not authorized to perform: iam:GetRole on \
             resource: role pod because no identity-based policy allows the iam:GetRole action"
        )
    );
    let full = "arn:aws:iam::aws:policy/IAMFullAccess";
    world
        .iam("AttachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", full)])
        .await;
    assert_eq!(
        world.query(&pod, "iam", "GetRole", &[("RoleName", "pod")]).await.status,
        200
    );
}

#[rstest]
#[case::no_json("{", "is malformed")]
#[case::no_statement(r#"{"Version":"2012-10-17","Statement":[]}"#, "is malformed")]
#[tokio::test]
async fn a_policy_that_cannot_be_evaluated_is_not_stored(#[case] document: &str, #[case] message: &str) {
    let world = World::start().await;
    world.node().await;
    let params = [("RoleName", "node"), ("PolicyName", "p"), ("PolicyDocument", document)];
    let reply = world.query(&world.root, "iam", "PutRolePolicy", &params).await;
    assert_eq!(reply.error(), (400, "MalformedPolicyDocument"));
    assert!(reply.body.contains(message), "{}", reply.body);
    let listed = world.iam("ListRolePolicies", &[("RoleName", "node")]).await;
    assert_eq!(listed.element("PolicyNames"), Some(""));
}

#[tokio::test]
async fn what_rolecall_does_not_implement_is_said_and_the_old_trust_stays() {
    let odd = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole",
        "Condition":{"ForAllValues:Null":{"aws:TagKeys":"true"}}}]}"#;
    let world = World::start().await;
    world.node().await;
    let params = [("RoleName", "node"), ("PolicyDocument", odd)];
    let reply = world.query(&world.root, "iam", "UpdateAssumeRolePolicy", &params).await;
    assert_eq!(reply.error(), (400, "MalformedPolicyDocument"));
    assert!(
        reply
            .body
            .contains("Rolecall does not implement this part of the policy"),
        "{}",
        reply.body
    );
    assert!(world.front.instance_credentials("nodes", "i-1").await.is_ok());
}

#[tokio::test]
async fn a_policy_that_fails_when_it_is_evaluated_allows_nothing() {
    let odd = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
        "Condition":{"IpAddress":{"aws:userid":"10.0.0.0/8"}}}]}"#;
    let world = World::start().await;
    let pod = world.pod().await;
    world
        .iam(
            "PutRolePolicy",
            &[("RoleName", "pod"), ("PolicyName", "odd"), ("PolicyDocument", odd)],
        )
        .await;
    let reply = world.get(&pod, "/").await;
    assert_eq!(reply.error(), (500, "InternalError"), "{}", reply.body);
    assert!(
        reply.body.contains("Rolecall could not evaluate s3:ListAllMyBuckets"),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn attaching_a_policy_that_does_not_exist_is_no_such_entity() {
    let world = World::start().await;
    world.node().await;
    let params = [
        ("RoleName", "node"),
        ("PolicyArn", "arn:aws:iam::aws:policy/WriteOnlyAccess"),
    ];
    let reply = world.query(&world.root, "iam", "AttachRolePolicy", &params).await;
    assert_eq!(reply.error(), (404, "NoSuchEntity"));
}
