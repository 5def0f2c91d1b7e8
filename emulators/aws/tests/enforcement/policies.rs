use std::time::Duration;

use rstest::rstest;

use crate::world::World;

const ARN: &str = "arn:aws:iam::123456789012:policy/p";
const S3: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
const EC2: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}"#;

/// A customer's policy about EC2, attached to the role `pod`, and the keys of a session of the role.
async fn with_policy() -> (World, crate::signer::Keys) {
    let world = World::start().await;
    let pod = world.pod().await;
    world
        .iam("CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", EC2)])
        .await;
    world
        .iam("AttachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", ARN)])
        .await;
    (world, pod)
}

fn version<'a>(document: &'a str, default: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("PolicyArn", ARN),
        ("PolicyDocument", document),
        ("SetAsDefault", default),
    ]
}

#[tokio::test]
async fn the_default_version_of_a_policy_is_the_one_in_force() {
    let (world, pod) = with_policy().await;
    let created = world.iam("CreatePolicyVersion", &version(S3, "false")).await;
    assert_eq!(
        (created.element("VersionId"), created.element("IsDefaultVersion")),
        (Some("v2"), Some("false"))
    );
    assert_eq!(world.get(&pod, "/").await.status, 403);
    world.clock.advance(Duration::from_secs(60));
    let before = world.clock.wall();
    world
        .iam("SetDefaultPolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v2")])
        .await;
    let reply = world.get(&pod, "/").await;
    assert_eq!(reply.status, 200);
    let record = world
        .front
        .decision(reply.header("x-amz-request-id"))
        .expect("it is kept");
    let since = record.attached.expect("the policy that allowed").at;
    assert!(since.as_second() >= before.as_second(), "not since it was attached");
    assert_eq!(
        world
            .iam("GetPolicy", &[("PolicyArn", ARN)])
            .await
            .element("DefaultVersionId"),
        Some("v2")
    );
    world.iam("CreatePolicyVersion", &version(EC2, "true")).await;
    assert_eq!(world.get(&pod, "/").await.status, 403);
    let listed = world.iam("ListPolicyVersions", &[("PolicyArn", ARN)]).await;
    let ids: Vec<&str> = listed
        .body
        .split("<VersionId>")
        .skip(1)
        .filter_map(|part| Some(part.split_once('<')?.0))
        .collect();
    assert_eq!(ids, ["v3", "v2", "v1"]);
    assert_eq!(
        listed.element("IsDefaultVersion"),
        Some("true"),
        "the first is the newest"
    );
    let got = world
        .iam("GetPolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v2")])
        .await;
    assert_eq!(got.element("IsDefaultVersion"), Some("false"));
    assert!(got.element("Document").is_some_and(|text| text.contains("s3%3A%2A")));
}

#[tokio::test]
async fn the_number_of_a_deleted_version_does_not_come_back() {
    let (world, _) = with_policy().await;
    world.iam("CreatePolicyVersion", &version(S3, "false")).await;
    world
        .iam("DeletePolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v2")])
        .await;
    let created = world.iam("CreatePolicyVersion", &version(S3, "false")).await;
    assert_eq!(created.element("VersionId"), Some("v3"));
}

#[rstest]
#[case::the_default("DeletePolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v1")], 409, "DeleteConflict")]
#[case::absent("DeletePolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v9")], 404, "NoSuchEntity")]
#[case::absent_default("SetDefaultPolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v9")], 404, "NoSuchEntity")]
#[case::a_sixth("CreatePolicyVersion", &version(S3, "true"), 409, "LimitExceeded")]
#[case::no_flag("CreatePolicyVersion", &version(S3, "perhaps"), 400, "MalformedInput")]
#[case::malformed("CreatePolicyVersion", &version("{", "true"), 400, "MalformedPolicyDocument")]
#[case::the_policy_with_versions("DeletePolicy", &[("PolicyArn", ARN)], 409, "DeleteConflict")]
#[case::of_aws(
    "CreatePolicyVersion",
    &[("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"), ("PolicyDocument", S3)],
    403,
    "AccessDenied"
)]
#[tokio::test]
async fn what_cannot_be_done_to_a_version_is_refused(
    #[case] action: &str,
    #[case] params: &[(&str, &str)],
    #[case] status: u16,
    #[case] code: &str,
) {
    let (world, _) = with_policy().await;
    for _ in 0..4 {
        world.iam("CreatePolicyVersion", &version(S3, "false")).await;
    }
    world
        .iam("DetachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", ARN)])
        .await;
    let reply = world.query(&world.root, "iam", action, params).await;
    assert_eq!(reply.error(), (status, code), "{}", reply.body);
}

#[tokio::test]
async fn the_details_of_an_account_hold_all_that_decides() {
    let (world, _) = with_policy().await;
    world.iam("CreateUser", &[("UserName", "alice")]).await;
    world.iam("CreateGroup", &[("GroupName", "readers")]).await;
    world
        .iam("AddUserToGroup", &[("GroupName", "readers"), ("UserName", "alice")])
        .await;
    let inline = [("GroupName", "readers"), ("PolicyName", "in"), ("PolicyDocument", S3)];
    world.iam("PutGroupPolicy", &inline).await;
    let reply = world.iam("GetAccountAuthorizationDetails", &[]).await;
    let users = reply.element("UserDetailList").expect("users");
    assert!(
        users.contains("<GroupList><member>readers</member></GroupList>"),
        "{users}"
    );
    let groups = reply.element("GroupDetailList").expect("groups");
    assert!(
        groups.contains("<GroupPolicyList><member><PolicyName>in</PolicyName><PolicyDocument>%7B"),
        "{groups}"
    );
    let roles = reply.element("RoleDetailList").expect("roles");
    assert!(
        roles.contains("<InstanceProfileName>nodes</InstanceProfileName>"),
        "{roles}"
    );
    assert!(
        roles.contains(&format!(
            "<AttachedManagedPolicies><member><PolicyName>p</PolicyName><PolicyArn>{ARN}</PolicyArn></member>"
        )),
        "{roles}"
    );
    let policies = reply.element("Policies").expect("policies");
    assert!(
        policies.contains("<PolicyVersionList><member><Document>%7B"),
        "{policies}"
    );

    let filter = [("Filter.member.1", "LocalManagedPolicy"), ("Filter.member.2", "Group")];
    let some = world.iam("GetAccountAuthorizationDetails", &filter).await;
    assert_eq!(
        (some.element("UserDetailList"), some.element("RoleDetailList")),
        (Some(""), Some(""))
    );
    assert_eq!(some.body.matches("<PolicyVersionList>").count(), 1);
    let first = world
        .iam(
            "GetAccountAuthorizationDetails",
            &[filter[0], filter[1], ("MaxItems", "1")],
        )
        .await;
    assert_eq!(
        (first.element("IsTruncated"), first.element("Policies")),
        (Some("true"), Some(""))
    );
    let marker = first.element("Marker").expect("there is more");
    let second = world
        .iam(
            "GetAccountAuthorizationDetails",
            &[filter[0], filter[1], ("Marker", marker)],
        )
        .await;
    assert_eq!(second.body.matches("<PolicyVersionList>").count(), 1);

    let odd = world
        .query(
            &world.root,
            "iam",
            "GetAccountAuthorizationDetails",
            &[("Filter.member.1", "Coffee")],
        )
        .await;
    assert_eq!(odd.error(), (400, "ValidationError"));
}
