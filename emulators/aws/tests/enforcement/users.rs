use crate::world::World;

const S3_READ: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

#[tokio::test]
async fn a_users_key_works_until_it_is_switched_off() {
    let world = World::start().await;
    world.iam("CreateUser", &[("UserName", "alice")]).await;
    let alice = world.iam("CreateAccessKey", &[("UserName", "alice")]).await.keys();
    let reply = world.get(&alice, "/").await;
    assert_eq!(reply.error(), (403, "AccessDenied"));
    assert!(
        reply.body.contains("User: arn:aws:iam::123456789012:user/alice is not"),
        "{}",
        reply.body
    );
    world
        .iam("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", S3_READ)])
        .await;
    assert_eq!(world.get(&alice, "/").await.status, 200);

    let key = [("UserName", "alice"), ("AccessKeyId", alice.id.as_str())];
    world
        .iam("UpdateAccessKey", &[key[0], key[1], ("Status", "Inactive")])
        .await;
    assert_eq!(world.get(&alice, "/").await.error(), (403, "InvalidAccessKeyId"));
    world
        .iam("UpdateAccessKey", &[key[0], key[1], ("Status", "Active")])
        .await;
    assert_eq!(world.get(&alice, "/").await.status, 200);
    world.iam("DeleteAccessKey", &key).await;
    assert_eq!(world.get(&alice, "/").await.error(), (403, "InvalidAccessKeyId"));
}

#[tokio::test]
async fn a_user_gets_a_session_as_long_as_the_role_allows_and_no_longer() {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"sts:AssumeRole"}]}"#;
    let world = World::start().await;
    world.iam("CreateUser", &[("UserName", "alice")]).await;
    let alice = world.iam("CreateAccessKey", &[("UserName", "alice")]).await.keys();
    world
        .iam(
            "CreateRole",
            &[("RoleName", "pod"), ("AssumeRolePolicyDocument", trust)],
        )
        .await;
    let long = [("DurationSeconds", "7200")];
    let refused = world.assume(&alice, "pod", &long).await;
    assert_eq!(refused.error(), (400, "ValidationError"));
    assert!(
        refused.body.contains("MaxSessionDuration set for this role"),
        "{}",
        refused.body
    );
    world
        .iam("UpdateRole", &[("RoleName", "pod"), ("MaxSessionDuration", "7200")])
        .await;
    let session = world.assume(&alice, "pod", &long).await.keys();
    world.clock.advance(std::time::Duration::from_secs(7190));
    assert_eq!(world.query(&session, "sts", "GetCallerIdentity", &[]).await.status, 200);
}

#[tokio::test]
async fn nobody_switches_the_root_key_off() {
    let world = World::start().await;
    world.iam("CreateUser", &[("UserName", "alice")]).await;
    let params = [("UserName", "alice"), ("AccessKeyId", "AKIAROOT")];
    let reply = world.query(&world.root, "iam", "DeleteAccessKey", &params).await;
    assert_eq!(reply.error(), (404, "NoSuchEntity"));
}

#[tokio::test]
async fn a_user_is_deleted_once_nothing_hangs_on_it() {
    let world = World::start().await;
    world.iam("CreateUser", &[("UserName", "alice")]).await;
    let key = world.iam("CreateAccessKey", &[("UserName", "alice")]).await.keys();
    let refused = world
        .query(&world.root, "iam", "DeleteUser", &[("UserName", "alice")])
        .await;
    assert_eq!(refused.error(), (409, "DeleteConflict"));
    world
        .iam("DeleteAccessKey", &[("UserName", "alice"), ("AccessKeyId", &key.id)])
        .await;
    world.iam("DeleteUser", &[("UserName", "alice")]).await;
    let gone = world
        .query(&world.root, "iam", "GetUser", &[("UserName", "alice")])
        .await;
    assert_eq!(gone.error(), (404, "NoSuchEntity"));
}
