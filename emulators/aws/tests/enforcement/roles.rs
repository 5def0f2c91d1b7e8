use rolecall_aws::{Enforcement, InstanceCredentialsError, Verdict};
use rstest::rstest;

use crate::world::{ACCOUNT, TRUST_EC2, TRUST_NODE, World, keys};

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
    assert_eq!(attached.policy, "managed policy AmazonS3ReadOnlyAccess");
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
async fn the_root_user_assumes_no_role() {
    let world = World::start().await;
    world.node().await;
    let reply = world.assume(&world.root, "node", &[]).await;
    assert_eq!(reply.error(), (403, "AccessDenied"));
    assert_eq!(
        reply.element("Message"),
        Some("Roles may not be assumed by root accounts.")
    );
}

#[tokio::test]
async fn an_external_id_must_be_the_one_that_the_trust_policy_wants() {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"AWS":"arn:aws:iam::123456789012:role/node"},"Action":"sts:AssumeRole",
        "Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}]}"#;
    let world = World::start().await;
    let node = world.node().await;
    world
        .iam(
            "CreateRole",
            &[("RoleName", "pod"), ("AssumeRolePolicyDocument", trust)],
        )
        .await;
    assert_eq!(world.assume(&node, "pod", &[]).await.status, 403);
    assert_eq!(world.assume(&node, "pod", &[("ExternalId", "wrong")]).await.status, 403);
    assert_eq!(
        world.assume(&node, "pod", &[("ExternalId", "secret")]).await.status,
        200
    );
}

#[rstest]
#[case::too_short("899", false)]
#[case::shortest("900", true)]
#[case::chained_longest("3600", true)]
#[case::chained_too_long("3601", false)]
#[case::no_number("an hour", false)]
#[tokio::test]
async fn a_session_lasts_as_long_as_the_rules_allow(#[case] seconds: &str, #[case] allowed: bool) {
    let world = World::start().await;
    let node = world.node().await;
    // The role allows more, but a session that assumes a role gets an hour at most.
    let params = [
        ("RoleName", "pod"),
        ("AssumeRolePolicyDocument", TRUST_NODE),
        ("MaxSessionDuration", "7200"),
    ];
    world.iam("CreateRole", &params).await;
    let reply = world.assume(&node, "pod", &[("DurationSeconds", seconds)]).await;
    assert_eq!(reply.status, if allowed { 200 } else { 400 }, "{}", reply.body);
}

#[rstest]
#[case::a_space("a b")]
#[case::one_letter("a")]
#[case::a_slash("a/b")]
#[tokio::test]
async fn a_session_name_of_another_form_is_a_validation_error(#[case] name: &str) {
    let world = World::start().await;
    let node = world.node().await;
    let params = [
        ("RoleArn", "arn:aws:iam::123456789012:role/node"),
        ("RoleSessionName", name),
    ];
    let reply = world.query(&node, "sts", "AssumeRole", &params).await;
    assert_eq!(reply.error(), (400, "ValidationError"), "{}", reply.body);
}

#[tokio::test]
async fn a_session_policy_narrows_what_the_role_may() {
    let nothing = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}"#;
    let world = World::start().await;
    let node = world.node().await;
    world
        .iam(
            "CreateRole",
            &[("RoleName", "pod"), ("AssumeRolePolicyDocument", TRUST_NODE)],
        )
        .await;
    world
        .iam("AttachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", S3_READ)])
        .await;
    let wide = world.assume(&node, "pod", &[]).await.keys();
    let narrow = world.assume(&node, "pod", &[("Policy", nothing)]).await.keys();
    assert_eq!(world.get(&wide, "/").await.status, 200);
    let reply = world.get(&narrow, "/").await;
    assert_eq!(reply.error(), (403, "AccessDenied"));
    assert!(
        reply.body.contains("because no session policy allows"),
        "{}",
        reply.body
    );
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
async fn caller_identity_is_told_to_whoever_is_denied_everything() {
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    let world = World::start().await;
    let pod = world.pod().await;
    world
        .iam(
            "PutRolePolicy",
            &[("RoleName", "pod"), ("PolicyName", "deny"), ("PolicyDocument", deny)],
        )
        .await;
    let reply = world.query(&pod, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.element("Arn"),
        Some("arn:aws:sts::123456789012:assumed-role/pod/session")
    );
    assert_eq!(reply.element("Account"), Some(ACCOUNT));
    assert_eq!(
        reply.header("x-amzn-requestid"),
        reply.element("RequestId").expect("an id")
    );
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
async fn attaching_a_policy_that_does_not_exist_is_no_such_entity() {
    let world = World::start().await;
    world.node().await;
    let params = [
        ("RoleName", "node"),
        ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ];
    let reply = world.query(&world.root, "iam", "AttachRolePolicy", &params).await;
    assert_eq!(reply.error(), (404, "NoSuchEntity"));
}

#[tokio::test]
async fn an_instance_gets_no_keys_of_a_role_that_does_not_trust_ec2() {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},
        "Action":"sts:AssumeRole"}]}"#;
    let world = World::start().await;
    let absent = world.front.instance_credentials("nodes", "i-1");
    assert!(matches!(absent, Err(InstanceCredentialsError::NoSuchProfile(_))));
    world.node().await;
    world
        .iam(
            "UpdateAssumeRolePolicy",
            &[("RoleName", "node"), ("PolicyDocument", trust)],
        )
        .await;
    let refused = world.front.instance_credentials("nodes", "i-1");
    assert!(
        matches!(refused, Err(InstanceCredentialsError::NotTrusted { .. })),
        "{refused:?}"
    );
    let before = world.front.journal().len();
    world
        .iam(
            "RemoveRoleFromInstanceProfile",
            &[("InstanceProfileName", "nodes"), ("RoleName", "node")],
        )
        .await;
    let empty = world.front.instance_credentials("nodes", "i-1");
    assert!(matches!(empty, Err(InstanceCredentialsError::NoRole(_))));
    assert_eq!(
        world.front.journal().len(),
        before + 1,
        "only the call to IAM is an entry"
    );
}

#[tokio::test]
async fn the_keys_of_a_deleted_role_are_void_even_if_its_name_comes_back() {
    let world = World::start().await;
    let pod = world.pod().await;
    world.iam("DeleteRole", &[("RoleName", "pod")]).await;
    let identity = world.query(&pod, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(identity.error(), (403, "InvalidClientTokenId"));
    world
        .iam(
            "CreateRole",
            &[("RoleName", "pod"), ("AssumeRolePolicyDocument", TRUST_NODE)],
        )
        .await;
    let identity = world.query(&pod, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(identity.error(), (403, "InvalidClientTokenId"));
}

#[tokio::test]
async fn secrets_are_not_in_what_is_printed() {
    let world = World::start().await;
    world.node().await;
    let credentials = world.front.instance_credentials("nodes", "i-1").expect("trusted");
    let held = keys(&credentials);
    let printed = format!("{credentials:?} {:?}", world.front);
    for secret in [
        held.secret.as_str(),
        held.token.as_deref().expect("a token"),
        "root secret",
    ] {
        assert!(!printed.contains(secret));
    }
}
