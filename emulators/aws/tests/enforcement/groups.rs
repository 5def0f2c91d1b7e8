use rstest::rstest;

use crate::world::World;

const S3_READ: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const DENY_S3: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;

async fn with_group() -> (World, crate::signer::Keys) {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world
        .iam("CreateGroup", &[("GroupName", "readers"), ("Path", "/team/")])
        .await;
    (world, alice)
}

const IN: [(&str, &str); 2] = [("GroupName", "readers"), ("UserName", "alice")];

#[tokio::test]
async fn a_user_may_what_its_group_may_for_as_long_as_it_is_in_it() {
    let (world, alice) = with_group().await;
    world
        .iam("AttachGroupPolicy", &[("GroupName", "readers"), ("PolicyArn", S3_READ)])
        .await;
    assert_eq!(world.get(&alice, "/").await.status, 403);
    world.iam("AddUserToGroup", &IN).await;
    let reply = world.get(&alice, "/").await;
    assert_eq!(reply.status, 200);
    let record = world
        .front
        .decision(reply.header("x-amz-request-id"))
        .expect("it is kept");
    assert_eq!(
        record.attached.expect("the policy that allowed").policy,
        "managed policy AmazonS3ReadOnlyAccess v3 of group readers"
    );
    let deny = [
        ("GroupName", "readers"),
        ("PolicyName", "deny"),
        ("PolicyDocument", DENY_S3),
    ];
    world.iam("PutGroupPolicy", &deny).await;
    assert_eq!(world.get(&alice, "/").await.status, 403);
    world.iam("DeleteGroupPolicy", &deny[..2]).await;
    assert_eq!(world.get(&alice, "/").await.status, 200);
    world.iam("RemoveUserFromGroup", &IN).await;
    assert_eq!(world.get(&alice, "/").await.status, 403);
}

#[tokio::test]
async fn a_group_and_its_users_are_shown() {
    let (world, _) = with_group().await;
    world.iam("AddUserToGroup", &IN).await;
    world.iam("AddUserToGroup", &IN).await;
    let group = world.iam("GetGroup", &[("GroupName", "readers")]).await;
    assert_eq!(
        (
            group.element("Arn"),
            group.element("UserName"),
            group.element("IsTruncated")
        ),
        (
            Some("arn:aws:iam::123456789012:group/team/readers"),
            Some("alice"),
            Some("false")
        )
    );
    assert!(group.element("GroupId").is_some_and(|id| id.starts_with("AGPA")));
    let of_alice = world.iam("ListGroupsForUser", &[("UserName", "alice")]).await;
    assert_eq!(of_alice.element("GroupName"), Some("readers"));
    let listed = world.iam("ListGroups", &[("PathPrefix", "/team/")]).await;
    assert_eq!(listed.element("GroupName"), Some("readers"));
    let elsewhere = world.iam("ListGroups", &[("PathPrefix", "/other/")]).await;
    assert_eq!(elsewhere.element("Groups"), Some(""));
    let users = world.iam("ListUsers", &[]).await;
    assert_eq!(users.element("UserName"), Some("alice"));
}

#[rstest]
#[case::group_twice("CreateGroup", &[("GroupName", "READERS")], 409, "EntityAlreadyExists")]
#[case::group_with_a_user("DeleteGroup", &[("GroupName", "readers")], 409, "DeleteConflict")]
#[case::user_in_a_group("DeleteUser", &[("UserName", "bob")], 409, "DeleteConflict")]
#[case::no_group("GetGroup", &[("GroupName", "writers")], 404, "NoSuchEntity")]
#[case::no_user("AddUserToGroup", &[("GroupName", "readers"), ("UserName", "carol")], 404, "NoSuchEntity")]
#[case::no_group_for_the_user("AddUserToGroup", &[("GroupName", "writers"), ("UserName", "bob")], 404, "NoSuchEntity")]
#[case::not_in_it("RemoveUserFromGroup", &IN, 404, "NoSuchEntity")]
#[case::no_policy("GetGroupPolicy", &[("GroupName", "readers"), ("PolicyName", "p")], 404, "NoSuchEntity")]
#[case::no_boundary("PutGroupPermissionsBoundary", &[("GroupName", "readers")], 400, "InvalidAction")]
#[tokio::test]
async fn what_cannot_be_done_to_a_group_is_refused(
    #[case] action: &str,
    #[case] params: &[(&str, &str)],
    #[case] status: u16,
    #[case] code: &str,
) {
    let (world, _) = with_group().await;
    world.iam("CreateUser", &[("UserName", "bob")]).await;
    world
        .iam("AddUserToGroup", &[("GroupName", "readers"), ("UserName", "bob")])
        .await;
    let reply = world.query(&world.root, "iam", action, params).await;
    assert_eq!(reply.error(), (status, code), "{}", reply.body);
}

#[tokio::test]
async fn a_policy_is_not_deleted_while_a_group_has_it() {
    let (world, _) = with_group().await;
    let params = [("PolicyName", "p"), ("PolicyDocument", DENY_S3)];
    world.iam("CreatePolicy", &params).await;
    let arn = "arn:aws:iam::123456789012:policy/p";
    world
        .iam("AttachGroupPolicy", &[("GroupName", "readers"), ("PolicyArn", arn)])
        .await;
    let reply = world
        .query(&world.root, "iam", "DeletePolicy", &[("PolicyArn", arn)])
        .await;
    assert_eq!(reply.error(), (409, "DeleteConflict"));
    world
        .iam("DetachGroupPolicy", &[("GroupName", "readers"), ("PolicyArn", arn)])
        .await;
    world.iam("DeletePolicy", &[("PolicyArn", arn)]).await;
    world.iam("DeleteGroup", &[("GroupName", "readers")]).await;
}

#[tokio::test]
async fn a_group_grants_no_rights_over_itself() {
    let (world, alice) = with_group().await;
    world.iam("AddUserToGroup", &IN).await;
    let reply = world
        .ask(&alice, crate::world::query("iam", "GetGroup", &IN[..1]))
        .await;
    assert_eq!(
        reply.element("Message"),
        Some(
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:GetGroup on resource: group \
             readers because no identity-based policy allows the iam:GetGroup action"
        )
    );
}
