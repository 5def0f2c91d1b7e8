use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{ROOT, World};

#[tokio::test]
async fn a_service_account_gets_the_token_of_its_role() {
    let world = World::start().await;
    let jwt = world.around.jwt("reader", "vault").await;
    let since = world.around.cluster.requests().len();
    let answer = world
        .ask(
            "POST",
            "auth/kubernetes/login",
            "",
            json!({"role": "reader", "jwt": jwt}),
        )
        .await
        .expect(200);
    let auth = &answer["auth"];
    assert_eq!(auth["policies"], json!(["default", "reader"]));
    assert_eq!(
        (&auth["lease_duration"], &auth["renewable"], &auth["orphan"]),
        (&json!(1200), &json!(true), &json!(true))
    );
    assert_eq!(auth["metadata"]["service_account_namespace"], "jobs");
    assert_eq!((&answer["data"], &answer["mount_type"]), (&Value::Null, &json!("")));
    let asked = world.around.cluster.requests().split_off(since);
    let asked: Vec<_> = asked
        .iter()
        .map(|request| (request.method.as_str(), request.path.as_str(), request.status))
        .collect();
    assert_eq!(asked, [("POST", "/apis/authentication.k8s.io/v1/tokenreviews", 201)]);
    let token = auth["client_token"].as_str().expect("a token");
    let shown = world.read("auth/token/lookup-self", token).await.expect(200);
    assert_eq!(shown["data"]["display_name"], "kubernetes-jobs-reader");
    assert_eq!(shown["data"]["path"], "auth/kubernetes/login");
    // The same account is the same entity.
    let again = world
        .ask(
            "POST",
            "auth/kubernetes/login",
            "",
            json!({"role": "reader", "jwt": jwt}),
        )
        .await
        .expect(200);
    assert_eq!(again["auth"]["entity_id"], auth["entity_id"]);
}

#[rstest]
#[case::no_role(json!({"jwt": "x"}), 400, "missing role")]
#[case::no_jwt(json!({"role": "reader"}), 400, "missing jwt")]
#[case::unknown_role(json!({"role": "nope", "jwt": "x"}), 400, "invalid role name \"nope\"")]
#[case::no_jwt_at_all(json!({"role": "reader", "jwt": "x"}), 403, "permission denied")]
#[case::three_parts_of_nothing(json!({"role": "reader", "jwt": "a.b.c"}), 403, "permission denied")]
#[tokio::test]
async fn a_login_that_cannot_be_is_refused_without_asking_kubernetes(
    #[case] body: Value,
    #[case] status: u16,
    #[case] error: &str,
) {
    let world = World::start().await;
    let since = world.around.cluster.requests().len();
    world
        .ask("POST", "auth/kubernetes/login", "", body)
        .await
        .refused(status, error);
    assert_eq!(world.around.cluster.requests().len(), since);
}

fn forged(claims: &Value, alg: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(&json!({"alg": alg})),
        part(claims),
        URL_SAFE_NO_PAD.encode("signature")
    )
}

#[rstest]
#[case::expired(json!({"exp": 1_000_000}), "RS256", "invalid expiration time (exp) claim: token is expired")]
#[case::audience(json!({"aud": ["other"]}), "RS256",
    "invalid audience (aud) claim: audience claim does not match any expected audience")]
#[case::namespace(json!({"kubernetes.io": {"namespace": "other", "serviceaccount": {"name": "reader"}}}), "RS256",
    "namespace not authorized")]
#[case::name(json!({"kubernetes.io": {"namespace": "jobs", "serviceaccount": {"name": "other"}}}), "RS256",
    "service account name not authorized")]
#[case::algorithm(json!({}), "HS256", "permission denied")]
#[case::no_algorithm(json!({}), "none", "permission denied")]
#[tokio::test]
async fn a_jwt_whose_claims_do_not_fit_is_refused_without_asking_kubernetes(
    #[case] changed: Value,
    #[case] alg: &str,
    #[case] error: &str,
) {
    let world = World::start().await;
    let since = world.around.cluster.requests().len();
    let mut claims = json!({"exp": 9_999_999_999_i64, "aud": ["vault"],
        "kubernetes.io": {"namespace": "jobs", "serviceaccount": {"name": "reader", "uid": "u"}}});
    for (name, value) in changed.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    let body = json!({"role": "reader", "jwt": forged(&claims, alg)});
    world
        .ask("POST", "auth/kubernetes/login", "", body)
        .await
        .refused(403, error);
    assert_eq!(world.around.cluster.requests().len(), since);
}

#[tokio::test]
async fn who_kubernetes_does_not_vouch_for_is_refused() {
    let world = World::start().await;
    let claims = json!({"exp": 9_999_999_999_i64, "aud": ["vault"],
        "kubernetes.io": {"namespace": "jobs", "serviceaccount": {"name": "reader", "uid": "u"}}});
    let since = world.around.cluster.requests().len();
    let body = json!({"role": "reader", "jwt": forged(&claims, "RS256")});
    world
        .ask("POST", "auth/kubernetes/login", "", body)
        .await
        .refused(403, "permission denied");
    assert_eq!(world.around.cluster.requests().len(), since + 1);
    // A deleted account.
    let jwt = world.around.jwt("reader", "vault").await;
    world
        .around
        .admin(
            Method::DELETE,
            "/api/v1/namespaces/jobs/serviceaccounts/reader",
            Value::Null,
        )
        .await
        .expect(200);
    let login = json!({"role": "reader", "jwt": jwt});
    world
        .ask("POST", "auth/kubernetes/login", "", login.clone())
        .await
        .refused(403, "permission denied");
    // No API server.
    let config = json!({"kubernetes_host": "http://127.0.0.1:1", "disable_local_ca_jwt": true});
    world.put("auth/kubernetes/config", config).await.expect(204);
    world
        .ask("POST", "auth/kubernetes/login", "", login)
        .await
        .refused(403, "permission denied");
}

#[tokio::test]
async fn the_method_wants_to_be_configured() {
    let world = World::bare().await;
    world
        .put("sys/auth/kubernetes", json!({"type": "kubernetes"}))
        .await
        .expect(204);
    let role = json!({"bound_service_account_names": "*", "bound_service_account_namespaces": "*"});
    let warned = world.put("auth/kubernetes/role/any", role).await.expect(200);
    let warning = warned["warnings"][0].as_str().expect("a warning");
    assert!(
        warning.starts_with("Role any does not have an audience configured."),
        "{warning}"
    );
    let login = json!({"role": "any", "jwt": "x"});
    world
        .ask("POST", "auth/kubernetes/login", "", login)
        .await
        .refused(500, "could not load backend configuration");
    world
        .put("auth/kubernetes/config", json!({}))
        .await
        .refused(400, "no host provided");
    world
        .put(
            "auth/kubernetes/config",
            json!({"kubernetes_host": "https://127.0.0.1:1"}),
        )
        .await
        .refused(
            400,
            "open /var/run/secrets/kubernetes.io/serviceaccount/ca.crt: no such file or directory",
        );
    // Without a reviewer's token the caller's own asks, and it may not.
    let mut config = world.kubernetes();
    config["token_reviewer_jwt"] = Value::Null;
    world.put("auth/kubernetes/config", config).await.expect(204);
    assert_eq!(
        world.read("auth/kubernetes/config", ROOT).await.expect(200)["data"]["token_reviewer_jwt_set"],
        false
    );
    let login = json!({"role": "any", "jwt": world.around.jwt("reader", "vault").await});
    world
        .ask("POST", "auth/kubernetes/login", "", login)
        .await
        .refused(403, "permission denied");
    world
        .put("auth/kubernetes/config", world.kubernetes())
        .await
        .expect(204);
    let login = json!({"role": "any", "jwt": world.around.jwt("reader", "vault").await});
    world.ask("POST", "auth/kubernetes/login", "", login).await.expect(200);
}
