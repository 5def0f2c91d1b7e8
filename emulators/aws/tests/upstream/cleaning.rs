use http::Method;

use crate::{localstack::local, world::Ask};

const LIST: &str = "Action=GetAccountAuthorizationDetails&Version=2010-05-08&Filter.member.1=Role&Filter.member.2=User\
                    &Filter.member.3=Group&Filter.member.4=LocalManagedPolicy";
const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;
const ASSUME: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
    "Principal":{"Service":"ec2.amazonaws.com"}}]}"#;

#[tokio::test]
async fn what_was_made_is_removed_and_what_was_there_stays() {
    let Some(local) = local().await else { return };
    let account = local.account.clone();
    // There before, and not by the front.
    let trust = form_urlencoded::byte_serialize(ASSUME.as_bytes()).collect::<String>();
    let before = format!("Action=CreateRole&Version=2010-05-08&RoleName=before&AssumeRolePolicyDocument={trust}");
    local.behind(&account, "iam", Method::POST, "/", &before).await;
    let old = local.bucket("before");
    local.behind(&account, "s3", Method::PUT, &format!("/{old}"), "").await;

    let world = &local.world;
    local.node("node").await;
    world.user("alice").await;
    world.iam("CreateGroup", &[("GroupName", "g")]).await;
    world
        .iam("AddUserToGroup", &[("GroupName", "g"), ("UserName", "alice")])
        .await;
    let policy = world
        .iam("CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", ALLOW)])
        .await;
    let arn = policy.element("Arn").expect("an ARN").to_owned();
    world
        .iam(
            "CreatePolicyVersion",
            &[("PolicyArn", &arn), ("PolicyDocument", ALLOW), ("SetAsDefault", "true")],
        )
        .await;
    for (attach, param, name) in [
        ("AttachRolePolicy", "RoleName", "before"),
        ("AttachRolePolicy", "RoleName", "node"),
        ("AttachUserPolicy", "UserName", "alice"),
        ("AttachGroupPolicy", "GroupName", "g"),
    ] {
        world.iam(attach, &[(param, name), ("PolicyArn", &arn)]).await;
    }
    for (put, param, name) in [
        ("PutRolePolicy", "RoleName", "before"),
        ("PutRolePolicy", "RoleName", "node"),
        ("PutUserPolicy", "UserName", "alice"),
        ("PutGroupPolicy", "GroupName", "g"),
    ] {
        world
            .iam(put, &[(param, name), ("PolicyName", "i"), ("PolicyDocument", ALLOW)])
            .await;
    }
    world
        .iam(
            "PutUserPermissionsBoundary",
            &[("UserName", "alice"), ("PermissionsBoundary", &arn)],
        )
        .await;
    let bucket = local.bucket("made");
    for path in ["", "/a", "/b/c%20d%2B"] {
        let path = format!("/{bucket}{path}");
        assert_eq!(local.put(&world.root, &path, "").await.status, 200);
    }
    let start = format!("/{bucket}/unfinished?uploads");
    assert_eq!(world.ask(&world.root, Ask::s3(Method::POST, &start)).await.status, 200);

    let removed = local.world.front.remove_all().await.expect("all of it");
    assert!(removed >= 10, "{removed}");
    let left = local.behind(&account, "iam", Method::POST, "/", LIST).await;
    assert_eq!(left.matches("<member>").count(), 1, "the role that was there: {left}");
    assert!(left.contains("<RoleName>before</RoleName>"), "{left}");
    let left = local.behind(&account, "s3", Method::GET, "/", "").await;
    assert_eq!(
        (left.matches("<Name>").count(), left.contains(&old)),
        (1, true),
        "{left}"
    );
    assert_eq!(local.world.front.remove_all().await, Ok(0), "nothing is left to remove");
    local
        .behind(&account, "s3", Method::DELETE, &format!("/{old}"), "")
        .await;
    local
        .behind(
            &account,
            "iam",
            Method::POST,
            "/",
            "Action=DeleteRole&Version=2010-05-08&RoleName=before",
        )
        .await;
}
