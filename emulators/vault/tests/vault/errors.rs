//! What every request may meet.

use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{ROOT, World, try_ask};

#[rstest]
#[case::no_token("GET", "aws/roles/readonly", "", "", 403, "permission denied")]
#[case::unknown_token(
    "GET",
    "aws/roles/readonly",
    "bad",
    "",
    403,
    "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"
)]
#[case::no_mount(
    "GET",
    "nope/creds/x",
    ROOT,
    "",
    404,
    "no handler for route \"nope/creds/x\". route entry not found."
)]
#[case::unknown_path("GET", "aws/nope", ROOT, "", 404, "1 error occurred:\n\t* unsupported path\n\n")]
#[case::secret_is_not_there(
    "GET",
    "secret/data/x",
    ROOT,
    "",
    404,
    "no handler for route \"secret/data/x\". route entry not found."
)]
#[case::wrong_method(
    "DELETE",
    "aws/creds/readonly",
    ROOT,
    "",
    405,
    "1 error occurred:\n\t* unsupported operation\n\n"
)]
#[case::absent("GET", "aws/roles/nope", ROOT, "", 404, "")]
#[case::no_json(
    "PUT",
    "aws/roles/x",
    ROOT,
    "bad",
    500,
    "invalid character 'b' looking for beginning of value"
)]
#[case::taken(
    "POST",
    "sys/mounts/aws",
    ROOT,
    r#"{"type":"aws"}"#,
    400,
    "path is already in use at aws/"
)]
#[case::no_such_engine(
    "POST",
    "sys/mounts/x",
    ROOT,
    r#"{"type":"x"}"#,
    400,
    "plugin not found in the catalog: x"
)]
#[case::login_by_get("GET", "auth/kubernetes/login", "", "", 405, "unsupported operation")]
#[case::no_policy(
    "PUT",
    "sys/policies/acl/x",
    ROOT,
    r#"{"policy":"path \"a\" { capabilities = [\"fly\"] }"}"#,
    400,
    "failed to parse policy: path \"a\": invalid capability \"fly\""
)]
#[tokio::test]
async fn what_cannot_be_is_refused_in_vaults_words(
    #[case] method: &str,
    #[case] path: &str,
    #[case] token: &str,
    #[case] body: &str,
    #[case] status: u16,
    #[case] error: &str,
) {
    let world = World::start().await;
    let answer = try_ask(world.address, method, path, token, body)
        .await
        .expect("an answer");
    answer.refused(status, error);
}

#[tokio::test]
async fn a_token_without_the_policy_is_denied() {
    let world = World::start().await;
    let token = world.login().await;
    let denied = world.read("aws/roles/readonly", &token).await;
    denied.refused(403, "1 error occurred:\n\t* permission denied\n\n");
    // Nor does it learn which mounts there are.
    world
        .read("nope/x", &token)
        .await
        .refused(403, "1 error occurred:\n\t* permission denied\n\n");
    // The default policy does not give the right to end leases.
    let revoke = world
        .ask("PUT", "sys/leases/revoke", &token, json!({"lease_id": "x"}))
        .await;
    assert_eq!(revoke.status, 403);
}

#[tokio::test]
async fn a_policy_that_grows_holds_for_tokens_that_are_there() {
    let world = World::start().await;
    let token = world.login().await;
    let policy =
        r#"path "aws/roles/*" { capabilities = ["read"] } path "aws/roles/secret" { capabilities = ["deny"] }"#;
    world
        .put("sys/policies/acl/reader", json!({"policy": policy}))
        .await
        .expect(204);
    world.read("aws/roles/readonly", &token).await.expect(200);
    assert_eq!(world.read("aws/roles/secret", &token).await.status, 403);
    assert_eq!(world.read("aws/creds/readonly", &token).await.status, 403);
    let body = json!({"paths": ["aws/roles/x", "aws/roles/secret", "sys/mounts"]});
    let answer = world
        .ask("POST", "sys/capabilities-self", &token, body)
        .await
        .expect(200);
    assert_eq!(
        answer["data"],
        json!({"aws/roles/x": ["read"], "aws/roles/secret": ["deny"], "sys/mounts": ["deny"]})
    );
}

#[tokio::test]
async fn answers_carry_vaults_headers_and_envelope() {
    let world = World::start().await;
    let answer = world.read("aws/roles/readonly", ROOT).await;
    let header = |name: &str| answer.headers[name].to_str().expect("a text").to_owned();
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(
        header("strict-transport-security"),
        "max-age=31536000; includeSubDomains"
    );
    let body = answer.json();
    let keys: Vec<_> = body.as_object().expect("an object").keys().cloned().collect();
    let envelope = [
        "request_id",
        "lease_id",
        "renewable",
        "lease_duration",
        "data",
        "wrap_info",
        "warnings",
        "auth",
        "mount_type",
    ];
    assert_eq!(keys, envelope);
    assert_eq!(body["mount_type"], "aws");
    let put = world
        .put(
            "sys/policies/acl/x",
            json!({"policy": r#"path "a" { capabilities = ["read"] }"#}),
        )
        .await;
    assert_eq!((put.status, put.text.as_str()), (204, ""));
}

#[tokio::test]
async fn a_wrapped_answer_is_unwrapped_once() {
    let world = World::start().await;
    let request = http::Request::get("/v1/aws/roles/readonly")
        .header("host", "vault")
        .header("authorization", "Bearer root")
        .header("x-vault-wrap-ttl", "60s")
        .body(bytes::Bytes::new())
        .expect("a request");
    let wrapped = crate::client::send(world.address, None, request)
        .await
        .expect("an answer")
        .expect(200);
    assert_eq!(wrapped["data"], Value::Null);
    let info = &wrapped["wrap_info"];
    assert_eq!(
        (&info["ttl"], &info["creation_path"]),
        (&json!(60), &json!("aws/roles/readonly"))
    );
    let token = info["token"].as_str().expect("a token");
    let lookup = world
        .ask("POST", "sys/wrapping/lookup", ROOT, json!({"token": token}))
        .await
        .expect(200);
    assert_eq!(lookup["data"]["creation_path"], "aws/roles/readonly");
    let open = world
        .ask("PUT", "sys/wrapping/unwrap", token, Value::Null)
        .await
        .expect(200);
    assert_eq!(open["data"]["credential_type"], "iam_user");
    let again = world
        .ask("PUT", "sys/wrapping/unwrap", ROOT, json!({"token": token}))
        .await;
    again.refused(400, "wrapping token is not valid or does not exist");
}
