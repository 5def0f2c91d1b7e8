use rolecall_aws::Fault;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    surroundings::ACCOUNT,
    world::{ROOT, World},
};

#[tokio::test]
async fn an_iam_user_is_made_for_each_lease_and_its_key_works() {
    let world = World::start().await;
    let token = world.login().await;
    let since = world.around.mark();
    let answer = world.read("aws/creds/readonly", &token).await.expect(200);
    assert_eq!(
        world.around.asked(since),
        ["CreateUser", "AttachUserPolicy", "CreateAccessKey"]
    );
    assert_eq!(
        (&answer["renewable"], &answer["lease_duration"]),
        (&json!(true), &json!(120))
    );
    assert_eq!(
        (&answer["data"]["session_token"], &answer["mount_type"]),
        (&Value::Null, &json!("aws"))
    );
    let lease = answer["lease_id"].as_str().expect("a lease");
    assert!(
        lease.starts_with("aws/creds/readonly/") && lease.len() == "aws/creds/readonly/".len() + 24,
        "{lease}"
    );
    let users = world.around.vault_users().await;
    assert!(
        users[0].starts_with("vault-kubernetes-jobs-reader-readonly-"),
        "{users:?}"
    );
    world.read("aws/creds/readonly", &token).await.expect(200);
    assert_eq!(world.around.vault_users().await.len(), 2);
    // The path for STS serves a user as well, by POST too.
    let also = world
        .ask("POST", "aws/sts/readonly", &token, json!({"ttl": "15m"}))
        .await
        .expect(200);
    assert_eq!(also["data"]["session_token"], Value::Null);
}

#[tokio::test]
async fn a_role_is_assumed_for_fifteen_minutes() {
    let world = World::start().await;
    let token = world.login().await;
    let since = world.around.mark();
    let answer = world
        .ask("POST", "aws/sts/assume", &token, json!({"ttl": "15m"}))
        .await
        .expect(200);
    world.read("aws/creds/assume?ttl=900s", &token).await.expect(200);
    // STS is tried out once after each configuration.
    assert_eq!(
        world.around.asked(since),
        ["GetCallerIdentity", "AssumeRole", "AssumeRole"]
    );
    assert!(
        [899, 900].contains(&answer["lease_duration"].as_i64().unwrap_or_default()),
        "{answer}"
    );
    assert_eq!(answer["renewable"], false);
    let data = &answer["data"];
    assert_eq!(data["security_token"], data["session_token"]);
    let arn = data["arn"].as_str().expect("an ARN");
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Reader/vault-kubernetes-jobs-reader-assume-");
    assert!(arn.starts_with(&session), "{arn}");
    let named = json!({"role_session_name": "my session", "ttl": 900});
    let named = world.ask("POST", "aws/sts/assume", &token, named).await.expect(200);
    assert!(
        named["data"]["arn"]
            .as_str()
            .is_some_and(|arn| arn.ends_with("/my_session")),
        "{named}"
    );
}

#[tokio::test]
async fn the_other_two_types_have_their_own_fields() {
    let world = World::start().await;
    let document = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    let document = document.replace("[]", r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]"#);
    let federation = json!({"credential_type": "federation_token", "policy_document": document});
    world.put("aws/roles/federation", federation).await.expect(204);
    world
        .put("aws/roles/session", json!({"credential_type": "session_token"}))
        .await
        .expect(204);
    let keys = |answer: &Value| {
        answer["data"]
            .as_object()
            .expect("data")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let federated = world.read("aws/sts/federation?ttl=1h", ROOT).await.expect(200);
    assert_eq!(
        keys(&federated),
        ["access_key", "secret_key", "security_token", "session_token", "ttl"]
    );
    let session = world.read("aws/sts/session", ROOT).await.expect(200);
    assert_eq!(keys(&session), ["access_key", "secret_key", "session_token", "ttl"]);
    world
        .put("aws/roles/federation", json!({"policy_document": ""}))
        .await
        .expect(204);
    world.read("aws/sts/federation", ROOT).await.refused(
        400,
        "must specify at least one of policy_arns or policy_document with federation_token credential_type",
    );
}

#[tokio::test]
async fn a_life_is_cut_to_the_roles_limit_and_too_short_a_one_never_reaches_aws() {
    let world = World::start().await;
    world
        .put(
            "aws/roles/assume",
            json!({"max_sts_ttl": "20m", "default_sts_ttl": "16m"}),
        )
        .await
        .expect(204);
    let ttl = async |query: &str| {
        let answer = world.read(&format!("aws/sts/assume{query}"), ROOT).await.expect(200);
        answer["lease_duration"].as_i64().unwrap_or_default()
    };
    assert!((959..=960).contains(&ttl("").await));
    assert!((1199..=1200).contains(&ttl("?ttl=5h").await));
    let since = world.around.mark();
    world.read("aws/sts/assume?ttl=5m", ROOT).await.refused(
        400,
        "Error assuming role: InvalidParameter: 1 validation error(s) found.\n- minimum field value of 900, \
         AssumeRoleInput.DurationSeconds.\n",
    );
    assert_eq!(world.around.asked(since), Vec::<String>::new());
}

#[rstest]
#[case::no_type(json!({}), 400, "error(s) validating supplied role data: \"1 error occurred:\\n\\t* did not supply credential_type\\n\\n\"")]
#[case::odd_type(json!({"credential_type": "weird"}), 400,
    "error(s) validating supplied role data: \"1 error occurred:\\n\\t* unrecognized credential type: weird\\n\\n\"")]
#[case::arns_of_roles(json!({"credential_type": "iam_user", "role_arns": "a"}), 400,
    "error(s) validating supplied role data: \"1 error occurred:\\n\\t* cannot supply role_arns when credential_type isn't assumed_role\\n\\n\"")]
#[case::old_user(json!({"arn": "arn:aws:iam::1:user/x"}), 400, "unable to parse supplied data: \"arn:aws:iam::1:user/x\"")]
#[case::no_document(json!({"credential_type": "iam_user", "policy_document": "nope"}), 400, "cannot parse policy document: \"nope\"")]
#[case::no_duration(json!({"credential_type": "iam_user", "default_sts_ttl": "x"}), 400,
    "Field validation failed: error converting input for field \"default_sts_ttl\": time: invalid duration \"x\"")]
#[case::both_old(json!({"arn": "a", "policy": "b"}), 500, "1 error occurred:\n\t* only one of policy or arn should be provided\n\n")]
#[tokio::test]
async fn a_role_that_cannot_be_is_refused(#[case] body: Value, #[case] status: u16, #[case] error: &str) {
    let world = World::start().await;
    world.put("aws/roles/new", body).await.refused(status, error);
    assert_eq!(world.read("aws/roles/new", ROOT).await.status, 404);
}

#[tokio::test]
async fn old_forms_make_roles_that_are_bound_to_their_path() {
    let world = World::start().await;
    let managed = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess";
    let warned = world.put("aws/roles/old", json!({"arn": managed})).await.expect(200);
    let warning = "Detected use of legacy role or policy parameter. Please upgrade to use the new parameters.";
    assert_eq!(warned["warnings"], json!([warning]));
    let shown = world.read("aws/roles/old", ROOT).await.expect(200);
    assert_eq!(
        (&shown["data"]["credential_type"], &shown["data"]["policy_arns"]),
        (&json!("iam_user"), &json!([managed]))
    );
    world.read("aws/creds/old", ROOT).await.expect(200);
    world.read("aws/sts/old", ROOT).await.refused(
        400,
        "attempted to retrieve iam_user credentials through the sts path; this is not allowed for legacy roles",
    );
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/Reader");
    world.put("aws/roles/old-role", json!({"arn": arn})).await.expect(200);
    world.read("aws/sts/old-role", ROOT).await.expect(200);
    world.read("aws/creds/old-role", ROOT).await.refused(
        400,
        "attempted to retrieve assumed_role credentials through the creds path; this is not allowed for legacy roles",
    );
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;
    world.put("aws/roles/both", json!({"policy": policy})).await.expect(200);
    let shown = world.read("aws/roles/both", ROOT).await.expect(200);
    assert_eq!(shown["data"]["credential_type"], "iam_user,federation_token");
    let user = world.read("aws/creds/both", ROOT).await.expect(200);
    assert_eq!(user["data"]["session_token"], Value::Null);
    let federated = world.read("aws/sts/both", ROOT).await.expect(200);
    assert!(federated["data"]["session_token"].is_string());
}

#[tokio::test]
async fn which_role_is_assumed_is_the_vault_roles_business() {
    let world = World::start().await;
    world
        .read("aws/creds/nope", ROOT)
        .await
        .refused(400, "Role \"nope\" not found");
    let other = format!("arn:aws:iam::{ACCOUNT}:role/other");
    let listed = json!({"role_arn": other});
    world.put("aws/sts/assume", listed).await.refused(
        400,
        &format!("role_arn {other:?} not in allowed role arns for Vault role \"assume\""),
    );
    let two = json!({"role_arns": [other, format!("arn:aws:iam::{ACCOUNT}:role/Reader")]});
    world.put("aws/roles/assume", two).await.expect(204);
    world
        .read("aws/sts/assume", ROOT)
        .await
        .refused(400, "did not supply a role_arn parameter and unable to determine one");
    let refused = world.put("aws/sts/assume", json!({"role_arn": other})).await;
    assert_eq!(refused.status, 400);
    let error = refused.errors();
    assert!(
        error.starts_with("Error assuming role: AccessDenied: User: arn:aws:iam::"),
        "{error}"
    );
    assert!(error.contains("\n\tstatus code: 403, request id: "), "{error}");
}

#[tokio::test]
async fn aws_failures_have_vaults_statuses() {
    let world = World::start().await;
    world
        .put("aws/config/root", json!({"max_retries": 1}))
        .await
        .expect(204);
    let since = world.around.mark();
    world
        .around
        .front
        .inject("iam", Fault::Error("Throttling".to_owned()), None);
    let throttled = world.read("aws/creds/readonly", ROOT).await;
    assert_eq!(throttled.status, 502);
    assert!(
        throttled.errors().starts_with("Error creating IAM user: Throttling: "),
        "{}",
        throttled.errors()
    );
    assert_eq!(world.around.asked(since), ["CreateUser", "CreateUser"]);
    world.around.front.heal("iam");
    world
        .around
        .front
        .inject("iam", Fault::Error("LimitExceeded".to_owned()), None);
    let limited = world.read("aws/creds/readonly", ROOT).await;
    assert_eq!(limited.status, 400);
    assert!(
        limited.errors().starts_with("Error creating IAM user: LimitExceeded: "),
        "{}",
        limited.errors()
    );
    world.around.front.heal("iam");
    let nowhere = json!({"iam_endpoint": "http://127.0.0.1:1", "sts_endpoint": "http://127.0.0.1:1"});
    world.put("aws/config/root", nowhere).await.expect(204);
    world.read("aws/creds/readonly", ROOT).await.refused(
        400,
        "Error creating IAM user: RequestError: send request failed\ncaused by: Post \"http://127.0.0.1:1/\": dial tcp \
         127.0.0.1:1: connect: connection refused",
    );
    world
        .read("aws/sts/assume", ROOT)
        .await
        .refused(400, "could not obtain sts client");
}

#[tokio::test]
async fn a_throttled_call_is_tried_again_until_it_works() {
    let world = World::start().await;
    let since = world.around.mark();
    world
        .around
        .front
        .inject("iam", Fault::Error("Throttling".to_owned()), Some(1));
    world.read("aws/creds/readonly", ROOT).await.expect(200);
    assert_eq!(
        world.around.asked(since),
        ["CreateUser", "CreateUser", "AttachUserPolicy", "CreateAccessKey"]
    );
}

#[tokio::test]
async fn a_user_made_by_halves_is_deleted_when_it_is_five_minutes_old() {
    let world = World::start().await;
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}"#;
    let role = json!({"credential_type": "iam_user", "policy_document": document});
    world.put("aws/roles/broken", role).await.expect(204);
    let refused = world.read("aws/creds/broken", ROOT).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused
            .errors()
            .starts_with("Error putting user policy: MalformedPolicyDocument: "),
        "{}",
        refused.errors()
    );
    world.advance(290).await;
    assert_eq!(world.around.vault_users().await.len(), 1);
    world.advance(11).await;
    assert_eq!(world.around.vault_users().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_root_key_is_rotated() {
    let world = World::start().await;
    let since = world.around.mark();
    let rotated = world.put("aws/config/rotate-root", Value::Null).await.expect(200);
    assert_eq!(
        world.around.asked(since),
        ["GetUser", "CreateAccessKey", "DeleteAccessKey"]
    );
    let key = rotated["data"]["access_key"].as_str().expect("a key id");
    assert_ne!(key, world.around.key.0);
    assert_eq!(
        world.read("aws/config/root", ROOT).await.expect(200)["data"]["access_key"],
        key
    );
    world.read("aws/sts/assume", ROOT).await.expect(200);
}
