use std::time::Duration;

use http::Method;
use rstest::rstest;

use crate::{
    signer::Keys,
    world::{Ask, World},
};

const S3_READ: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const EC2: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}"#;

/// A user who may read S3 and ask for federation tokens.
async fn reader() -> (World, Keys) {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world
        .iam("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", S3_READ)])
        .await;
    let may = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:GetFederationToken",
        "Resource":"arn:aws:sts::123456789012:federated-user/carol"}]}"#;
    let params = [
        ("UserName", "alice"),
        ("PolicyName", "federate"),
        ("PolicyDocument", may),
    ];
    world.iam("PutUserPolicy", &params).await;
    (world, alice)
}

#[tokio::test]
async fn a_session_token_makes_the_user_again_for_half_a_day() {
    let (world, alice) = reader().await;
    let session = world.query(&alice, "sts", "GetSessionToken", &[]).await.keys();
    assert!(session.id.starts_with("ASIA"));
    let identity = world.query(&session, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(identity.element("Arn"), Some("arn:aws:iam::123456789012:user/alice"));
    assert_eq!(world.get(&session, "/").await.status, 200);
    world
        .iam("DetachUserPolicy", &[("UserName", "alice"), ("PolicyArn", S3_READ)])
        .await;
    assert_eq!(world.get(&session, "/").await.status, 403);
    let without = Keys {
        token: None,
        ..session.clone()
    };
    assert_eq!(world.get(&without, "/").await.error(), (403, "InvalidAccessKeyId"));
    world.clock.advance(Duration::from_secs(43_199));
    assert_eq!(world.query(&session, "sts", "GetCallerIdentity", &[]).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    let late = world.query(&session, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(late.error(), (403, "ExpiredToken"));
}

#[rstest]
#[case::iam("iam", "ListUsers", &[], "InvalidClientTokenId", "The security token included in the request is invalid.")]
#[case::sts("sts", "GetSessionToken", &[], "AccessDenied", "Cannot call GetSessionToken with session credentials")]
#[case::federation(
    "sts", "GetFederationToken", &[("Name", "carol")], "AccessDenied",
    "Cannot call GetFederationToken with session credentials"
)]
#[case::info(
    "sts", "GetAccessKeyInfo", &[("AccessKeyId", "AKIAROOTAKIAROOT")], "AccessDenied",
    "Cannot call GetAccessKeyInfo with session credentials"
)]
#[tokio::test]
async fn the_keys_of_a_session_token_do_not_open_everything(
    #[case] service: &str,
    #[case] action: &str,
    #[case] params: &[(&str, &str)],
    #[case] code: &str,
    #[case] message: &str,
) {
    let (world, _) = reader().await;
    // Root may do all of it with its own key.
    let session = world.query(&world.root, "sts", "GetSessionToken", &[]).await.keys();
    let service: &'static str = if service == "iam" { "iam" } else { "sts" };
    let reply = world.query(&session, service, action, params).await;
    assert_eq!(reply.error(), (403, code), "{}", reply.body);
    assert_eq!(reply.element("Message"), Some(message));
}

#[tokio::test]
async fn a_user_with_a_session_token_assumes_a_role_and_is_not_chained() {
    let (world, alice) = reader().await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"sts:AssumeRole"}]}"#;
    let params = [
        ("RoleName", "pod"),
        ("AssumeRolePolicyDocument", trust),
        ("MaxSessionDuration", "7200"),
    ];
    world.iam("CreateRole", &params).await;
    let session = world.query(&alice, "sts", "GetSessionToken", &[]).await.keys();
    let reply = world.assume(&session, "pod", &[("DurationSeconds", "7200")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[rstest]
#[case::too_short("GetSessionToken", "899", 400)]
#[case::shortest("GetSessionToken", "900", 200)]
#[case::longest("GetSessionToken", "129600", 200)]
#[case::too_long("GetSessionToken", "129601", 400)]
#[case::federation_too_short("GetFederationToken", "899", 400)]
#[case::federation_longest("GetFederationToken", "129600", 200)]
#[tokio::test]
async fn a_users_session_lasts_from_a_quarter_to_a_day_and_a_half(
    #[case] action: &str,
    #[case] seconds: &str,
    #[case] status: u16,
) {
    let (world, alice) = reader().await;
    let mut params = vec![("DurationSeconds", seconds)];
    if action == "GetFederationToken" {
        params.push(("Name", "carol"));
    }
    let reply = world.query(&alice, "sts", action, &params).await;
    assert_eq!(reply.status, status, "{}", reply.body);
}

#[tokio::test]
async fn a_session_of_root_lasts_an_hour_whatever_it_asks_for() {
    let (world, _) = reader().await;
    let session = world
        .query(&world.root, "sts", "GetSessionToken", &[("DurationSeconds", "43200")])
        .await
        .keys();
    assert_eq!(world.get(&session, "/").await.status, 200);
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(world.get(&session, "/").await.error(), (400, "ExpiredToken"));
}

#[rstest]
#[case::both(Some(EVERYTHING), 200)]
#[case::the_user_alone(Some(EC2), 403)]
#[case::no_policy(None, 403)]
#[tokio::test]
async fn a_federated_user_may_what_the_user_and_the_policy_allow(#[case] policy: Option<&str>, #[case] status: u16) {
    let (world, alice) = reader().await;
    let mut params = vec![("Name", "carol")];
    params.extend(policy.map(|policy| ("Policy", policy)));
    let reply = world.query(&alice, "sts", "GetFederationToken", &params).await;
    assert_eq!(
        reply.element("FederatedUserId"),
        Some("123456789012:carol"),
        "{}",
        reply.body
    );
    let carol = reply.keys();
    assert_eq!(world.get(&carol, "/").await.status, status);
    let create = world.ask(&carol, Ask::s3(Method::PUT, "/new")).await;
    assert_eq!(create.error(), (403, "AccessDenied"), "the user may only read");
    let identity = world.query(&carol, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(
        (identity.element("Arn"), identity.element("UserId")),
        (
            Some("arn:aws:sts::123456789012:federated-user/carol"),
            Some("123456789012:carol")
        )
    );
    let iam = world.query(&carol, "iam", "ListUsers", &[]).await;
    assert_eq!(iam.error(), (403, "InvalidClientTokenId"));
    let assumed = world.assume(&carol, "pod", &[]).await;
    assert_eq!(
        assumed.element("Message"),
        Some("Cannot call AssumeRole with session credentials")
    );
}

#[tokio::test]
async fn a_federated_user_of_root_may_what_the_policy_allows() {
    let (world, _) = reader().await;
    for (policy, status) in [(Some(EVERYTHING), 200), (Some(EC2), 403), (None, 403)] {
        let mut params = vec![("Name", "carol")];
        params.extend(policy.map(|policy| ("Policy", policy)));
        let reply = world.query(&world.root, "sts", "GetFederationToken", &params).await;
        assert_eq!(world.get(&reply.keys(), "/").await.status, status, "{policy:?}");
    }
}

#[rstest]
#[case::itself("arn:aws:sts::123456789012:federated-user/carol", 200)]
#[case::the_user("arn:aws:iam::123456789012:user/alice", 403)]
#[case::another("arn:aws:sts::123456789012:federated-user/dave", 403)]
#[tokio::test]
async fn a_bucket_policy_opens_to_a_federated_user_by_its_own_name(#[case] principal: &str, #[case] status: u16) {
    let (world, alice) = reader().await;
    world.ask(&world.root, Ask::s3(Method::PUT, "/reports")).await;
    world.ask(&world.root, Ask::s3(Method::PUT, "/reports/a")).await;
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*"}}]}}"#
    );
    let put = Ask {
        body: document.into_bytes(),
        ..Ask::s3(Method::PUT, "/reports?policy")
    };
    assert_eq!(world.ask(&world.root, put).await.status, 204);
    // Without a session policy the user's own permissions reach nothing.
    let carol = world
        .query(&alice, "sts", "GetFederationToken", &[("Name", "carol")])
        .await
        .keys();
    assert_eq!(world.get(&carol, "/reports/a").await.status, status);
}

#[tokio::test]
async fn a_federation_token_needs_permission_for_its_name() {
    let (world, alice) = reader().await;
    let reply = world
        .query(&alice, "sts", "GetFederationToken", &[("Name", "dave")])
        .await;
    assert_eq!(
        reply.masked(),
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/alice is not authorized to perform: \
         sts:GetFederationToken on resource: arn:aws:sts::123456789012:federated-user/dave</Message></Error>\
         <RequestId>MASKED</RequestId></ErrorResponse>"
    );
}

#[tokio::test]
async fn the_sessions_of_a_deleted_user_are_void() {
    let (world, alice) = reader().await;
    let session = world.query(&alice, "sts", "GetSessionToken", &[]).await.keys();
    let federated = world
        .query(&alice, "sts", "GetFederationToken", &[("Name", "carol")])
        .await
        .keys();
    world
        .iam("DetachUserPolicy", &[("UserName", "alice"), ("PolicyArn", S3_READ)])
        .await;
    world
        .iam("DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "federate")])
        .await;
    world
        .iam("DeleteAccessKey", &[("UserName", "alice"), ("AccessKeyId", &alice.id)])
        .await;
    world.iam("DeleteUser", &[("UserName", "alice")]).await;
    world.iam("CreateUser", &[("UserName", "alice")]).await;
    for keys in [session, federated] {
        let reply = world.query(&keys, "sts", "GetCallerIdentity", &[]).await;
        assert_eq!(reply.error(), (403, "InvalidClientTokenId"));
    }
}

#[tokio::test]
async fn a_session_key_does_not_count_as_one_of_the_users_keys() {
    let (world, alice) = reader().await;
    let session = world.query(&alice, "sts", "GetSessionToken", &[]).await.keys();
    let listed = world.iam("ListAccessKeys", &[("UserName", "alice")]).await;
    assert_eq!(listed.body.matches("<member>").count(), 1);
    let params = [("UserName", "alice"), ("AccessKeyId", session.id.as_str())];
    let reply = world.query(&world.root, "iam", "DeleteAccessKey", &params).await;
    assert_eq!(reply.error(), (404, "NoSuchEntity"));
    let info = world
        .query(&alice, "sts", "GetAccessKeyInfo", &[("AccessKeyId", &session.id)])
        .await;
    assert_eq!(info.error(), (403, "AccessDenied"));
    let info = world
        .query(&world.root, "sts", "GetAccessKeyInfo", &[("AccessKeyId", &session.id)])
        .await;
    assert_eq!(info.element("Account"), Some("123456789012"));
}
