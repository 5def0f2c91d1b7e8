use rolecall_aws::InstanceCredentialsError;
use rstest::rstest;

use crate::world::{ACCOUNT, TRUST_NODE, World, keys};

const S3_READ: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

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
async fn an_instance_gets_no_keys_of_a_role_that_does_not_trust_ec2() {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},
        "Action":"sts:AssumeRole"}]}"#;
    let world = World::start().await;
    let absent = world.front.instance_credentials("nodes", "i-1").await;
    assert!(matches!(absent, Err(InstanceCredentialsError::NoSuchProfile(_))));
    world.node().await;
    world
        .iam(
            "UpdateAssumeRolePolicy",
            &[("RoleName", "node"), ("PolicyDocument", trust)],
        )
        .await;
    let refused = world.front.instance_credentials("nodes", "i-1").await;
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
    let empty = world.front.instance_credentials("nodes", "i-1").await;
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
    let credentials = world.front.instance_credentials("nodes", "i-1").await.expect("trusted");
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
