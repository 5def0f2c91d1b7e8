use http::Method;
use rolecall_aws::{AccessKey, Account, AccountsError, Enforcement, Front, Settings};
use rolecall_clock::Clock;
use rstest::rstest;

use crate::{
    signer::Keys,
    world::{ACCOUNT, Ask, PARTNER, TRUST_EC2, World},
};

const MAY_ASSUME: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#;
const MAY_READ: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;

fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
        "Action":"sts:AssumeRole"}}]}}"#
    )
}

async fn assume_partners(world: &World, keys: &Keys, role: &str) -> crate::world::Reply {
    let arn = format!("arn:aws:iam::{PARTNER}:role/{role}");
    let params = [("RoleArn", arn.as_str()), ("RoleSessionName", "session")];
    world.query(keys, "sts", "AssumeRole", &params).await
}

#[rstest]
#[case::both_sides("arn:aws:iam::123456789012:user/alice", Some(MAY_ASSUME), true)]
#[case::both_sides_by_account("123456789012", Some(MAY_ASSUME), true)]
#[case::the_trust_alone("arn:aws:iam::123456789012:user/alice", None, false)]
#[case::the_permission_alone("arn:aws:iam::210987654321:root", Some(MAY_ASSUME), false)]
#[case::a_namesake("arn:aws:iam::210987654321:user/alice", Some(MAY_ASSUME), false)]
#[tokio::test]
async fn a_role_of_another_account_is_assumed_with_leave_of_both(
    #[case] principal: &str,
    #[case] may: Option<&str>,
    #[case] allowed: bool,
) {
    let world = World::start().await;
    let alice = world.user("alice").await;
    if let Some(may) = may {
        let params = [("UserName", "alice"), ("PolicyName", "may"), ("PolicyDocument", may)];
        world.iam("PutUserPolicy", &params).await;
    }
    let document = trust(principal);
    let params = [("RoleName", "shared"), ("AssumeRolePolicyDocument", document.as_str())];
    world.partner_iam("CreateRole", &params).await;
    let reply = assume_partners(&world, &alice, "shared").await;
    if !allowed {
        assert_eq!(reply.error(), (403, "AccessDenied"), "{}", reply.body);
        return;
    }
    let session = reply.keys();
    let identity = world.query(&session, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(identity.element("Account"), Some(PARTNER));
    assert_eq!(
        identity.element("Arn"),
        Some("arn:aws:sts::210987654321:assumed-role/shared/session")
    );
}

#[tokio::test]
async fn a_role_of_an_unknown_account_is_denied_as_an_absent_one() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let params = [
        ("UserName", "alice"),
        ("PolicyName", "may"),
        ("PolicyDocument", MAY_ASSUME),
    ];
    world.iam("PutUserPolicy", &params).await;
    let mut messages = Vec::new();
    for account in [PARTNER, "999999999999"] {
        let arn = format!("arn:aws:iam::{account}:role/absent");
        let params = [("RoleArn", arn.as_str()), ("RoleSessionName", "session")];
        let reply = world.query(&alice, "sts", "AssumeRole", &params).await;
        assert_eq!(reply.error(), (403, "AccessDenied"));
        messages.push(reply.element("Message").expect("a message").replace(account, "ACCOUNT"));
    }
    assert_eq!(messages[0], messages[1]);
}

#[tokio::test]
async fn each_account_has_an_iam_of_its_own() {
    let world = World::start().await;
    let params = [("RoleName", "pod"), ("AssumeRolePolicyDocument", TRUST_EC2)];
    world.iam("CreateRole", &params).await;
    let partner = world.partner();
    let reply = world.query(&partner, "iam", "GetRole", &[("RoleName", "pod")]).await;
    assert_eq!(reply.error(), (404, "NoSuchEntity"));
    let created = world.partner_iam("CreateRole", &params).await;
    assert_eq!(created.element("Arn"), Some("arn:aws:iam::210987654321:role/pod"));
    world.iam("DeleteRole", &[("RoleName", "pod")]).await;
    world.partner_iam("GetRole", &[("RoleName", "pod")]).await;

    let identity = world.query(&partner, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(
        (identity.element("Account"), identity.element("Arn")),
        (Some(PARTNER), Some("arn:aws:iam::210987654321:root"))
    );
}

#[tokio::test]
async fn a_namesake_in_another_account_has_keys_of_its_own() {
    let world = World::start().await;
    let alice = world.user("alice").await;
    world.partner_iam("CreateUser", &[("UserName", "alice")]).await;
    let listed = world.partner_iam("ListAccessKeys", &[("UserName", "alice")]).await;
    assert_eq!(listed.element("AccessKeyMetadata"), Some(""));
    let params = [("UserName", "alice"), ("AccessKeyId", alice.id.as_str())];
    let reply = world.query(&world.partner(), "iam", "DeleteAccessKey", &params).await;
    assert_eq!(reply.error(), (404, "NoSuchEntity"));
    let info = world
        .query(
            &world.partner(),
            "sts",
            "GetAccessKeyInfo",
            &[("AccessKeyId", &alice.id)],
        )
        .await;
    assert_eq!(info.element("Account"), Some(ACCOUNT), "{}", info.body);
}

/// A partner's bucket with an object, and a user of the main account, each with leave or not.
async fn shared_bucket(policy: bool, may: bool) -> (World, Keys) {
    let world = World::start().await;
    let partner = world.partner();
    world.ask(&partner, Ask::s3(Method::PUT, "/partners")).await;
    let put = Ask {
        body: b"theirs".to_vec(),
        ..Ask::s3(Method::PUT, "/partners/a")
    };
    world.ask(&partner, put).await;
    let alice = world.user("alice").await;
    if policy {
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"s3:*",
            "Resource":["arn:aws:s3:::partners","arn:aws:s3:::partners/*"]}]}"#;
        let put = Ask {
            body: document.as_bytes().to_vec(),
            ..Ask::s3(Method::PUT, "/partners?policy")
        };
        assert_eq!(world.ask(&partner, put).await.status, 204);
    }
    if may {
        let params = [
            ("UserName", "alice"),
            ("PolicyName", "may"),
            ("PolicyDocument", MAY_READ),
        ];
        world.iam("PutUserPolicy", &params).await;
    }
    (world, alice)
}

#[rstest]
#[case::both(true, true, true)]
#[case::the_bucket_alone(true, false, false)]
#[case::the_user_alone(false, true, false)]
#[tokio::test]
async fn an_object_of_another_account_is_read_with_leave_of_both(
    #[case] policy: bool,
    #[case] may: bool,
    #[case] allowed: bool,
) {
    let (world, alice) = shared_bucket(policy, may).await;
    let reply = world.get(&alice, "/partners/a").await;
    if allowed {
        assert_eq!((reply.status, reply.body.as_str()), (200, "theirs"));
        return;
    }
    assert_eq!(
        reply.masked(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message>\
         <RequestId>MASKED</RequestId><HostId>MASKED</HostId></Error>"
    );
}

#[tokio::test]
async fn root_may_not_touch_what_another_account_owns() {
    let (world, _) = shared_bucket(false, false).await;
    assert_eq!(
        world.get(&world.root, "/partners/a").await.error(),
        (403, "AccessDenied")
    );
    let delete = world.ask(&world.root, Ask::s3(Method::DELETE, "/partners/a")).await;
    assert_eq!(delete.error(), (403, "AccessDenied"));
}

#[tokio::test]
async fn the_policy_of_a_bucket_is_its_owners_business_even_where_it_allows_others() {
    let (world, alice) = shared_bucket(true, false).await;
    let all = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    world
        .iam("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", all)])
        .await;
    let reply = world.ask(&alice, Ask::s3(Method::DELETE, "/partners?policy")).await;
    assert_eq!(reply.error(), (405, "MethodNotAllowed"), "{}", reply.body);
    assert_eq!(world.get(&world.partner(), "/partners?policy").await.status, 200);
}

#[tokio::test]
async fn the_names_of_buckets_are_global_and_a_list_shows_ones_own() {
    let (world, _) = shared_bucket(false, false).await;
    let taken = world.ask(&world.root, Ask::s3(Method::PUT, "/partners")).await;
    assert_eq!(taken.error(), (409, "BucketAlreadyExists"), "{}", taken.body);
    world.ask(&world.root, Ask::s3(Method::PUT, "/reports")).await;
    let listed = world.get(&world.root, "/").await;
    assert_eq!(listed.element("Name"), Some("reports"), "{}", listed.body);
    assert!(!listed.body.contains("partners"), "{}", listed.body);
    assert_eq!(world.get(&world.partner(), "/").await.element("Name"), Some("partners"));
}

#[rstest]
#[case(PARTNER, 200)]
#[case(ACCOUNT, 403)]
#[tokio::test]
async fn the_expected_owner_of_a_bucket_is_the_one_it_has(#[case] owner: &str, #[case] status: u16) {
    let (world, alice) = shared_bucket(true, true).await;
    let get = Ask {
        headers: vec![("x-amz-expected-bucket-owner", owner.to_owned())],
        ..Ask::s3(Method::GET, "/partners/a")
    };
    assert_eq!(world.ask(&alice, get).await.status, status);
}

fn account(id: &str, key: &str) -> Account {
    Account {
        id: id.to_owned(),
        root: AccessKey {
            id: key.to_owned(),
            secret: "secret".into(),
        },
    }
}

#[rstest]
#[case::good(&[("222222222222", "B"), ("333333333333", "C")], None)]
#[case::short(&[("22222222222", "B")], Some(AccountsError::NotAnId("22222222222".to_owned())))]
#[case::letters(&[("22222222222x", "B")], Some(AccountsError::NotAnId("22222222222x".to_owned())))]
#[case::the_main_one(&[("111111111111", "B")], Some(AccountsError::SameId("111111111111".to_owned())))]
#[case::the_same_key(&[("222222222222", "A")], Some(AccountsError::SameKey("A".to_owned())))]
#[test]
fn accounts_that_cannot_be_told_apart_are_refused(
    #[case] others: &[(&str, &str)],
    #[case] expected: Option<AccountsError>,
) {
    let settings = Settings {
        account: "111111111111".to_owned(),
        region: "us-east-1".to_owned(),
        root: account("", "A").root,
        clock: Clock::stopped(),
        enforcement: Enforcement::On,
        upstream: None,
    };
    let others: Vec<Account> = others.iter().map(|(id, key)| account(id, key)).collect();
    assert_eq!(Front::with_accounts(settings, &others).err(), expected);
}
