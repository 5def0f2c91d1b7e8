//! Tokens of service accounts: how they are made, what they say, and when they hold.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, PostParams},
};
use rolecall_kubernetes::User;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    embedded::{eventually, pod, refusal, running},
    world::World,
};

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const SELF_REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

async fn post(client: &Client, path: &str, body: Value) -> kube::Result<Value> {
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.body(body.to_string().into_bytes()).expect("a request");
    client.request(request).await
}

fn token_path(world: &World, account: &str) -> String {
    format!("/api/v1/namespaces/{}/serviceaccounts/{account}/token", world.namespace)
}

/// A token of `account`, and the whole answer.
async fn token(world: &World, account: &str, spec: Value) -> (String, Value) {
    let client = world.client(User::VaultProxy).await;
    let answer = post(&client, &token_path(world, account), json!({"spec": spec})).await;
    let answer = answer.expect("a token");
    (answer["status"]["token"].as_str().expect("a token").to_owned(), answer)
}

async fn review(world: &World, token: &str, audiences: Value) -> Value {
    let client = world.client(User::TokenReviewer).await;
    let spec = json!({"spec": {"token": token, "audiences": audiences}});
    let answer = post(&client, REVIEWS, spec).await.expect("reviewed");
    assert_eq!(answer["kind"], "TokenReview");
    answer["status"].clone()
}

/// What a token says.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON")
}

fn bound_to(pod: &Pod) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "name": pod.name_any(), "uid": pod.uid()})
}

async fn run_pod(world: &World, name: &str) -> Pod {
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod(name, json!({})))
        .await
        .expect("created");
    running(&pods, name).await
}

#[tokio::test]
async fn a_token_says_whose_it_is_what_it_is_bound_to_and_how_long_it_holds() {
    let world = World::start().await;
    let pod = run_pod(&world, "p").await;
    let spec = json!({"audiences": ["vault", "b"], "expirationSeconds": 700, "boundObjectRef": bound_to(&pod)});
    let (token, answer) = token(&world, "default", spec.clone()).await;
    assert_eq!(
        (&answer["kind"], &answer["metadata"]["name"]),
        (&json!("TokenRequest"), &json!("default"))
    );
    assert_eq!(answer["spec"], spec);
    let claims = claims(&token);
    let at = |pointer: &str| claims.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/aud"), json!(["vault", "b"]));
    assert_eq!(
        at("/sub"),
        json!(format!("system:serviceaccount:{}:default", world.namespace))
    );
    assert_eq!(at("/exp").as_i64(), at("/iat").as_i64().map(|issued| issued + 700));
    assert_eq!(at("/nbf"), at("/iat"));
    let binding = at("/kubernetes.io");
    assert_eq!(binding["pod"], json!({"name": "p", "uid": pod.uid()}));
    assert_eq!(binding["serviceaccount"]["uid"], answer["metadata"]["uid"]);
    assert_eq!(
        binding["node"]["name"].as_str(),
        pod.spec.and_then(|spec| spec.node_name).as_deref()
    );
    assert!(binding.get("warnafter").is_none());
    let ends: jiff::Timestamp = answer["status"]["expirationTimestamp"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a time");
    assert_eq!(Some(ends.as_second()), at("/exp").as_i64());
}

#[tokio::test]
async fn without_a_wish_a_token_is_for_the_server_itself_and_holds_an_hour() {
    let world = World::start().await;
    let (_, plain) = token(&world, "default", json!({})).await;
    assert_eq!(plain["spec"]["expirationSeconds"], 3600);
    assert_eq!(plain["spec"]["boundObjectRef"], Value::Null);
    let issuer = plain["spec"]["audiences"][0].as_str().expect("an audience");
    assert_eq!(issuer, "https://kubernetes.default.svc.cluster.local");
    // What every pod asks for is extended to a year.
    let pod = run_pod(&world, "p").await;
    let spec = json!({"expirationSeconds": 3607, "boundObjectRef": bound_to(&pod)});
    let (token, answer) = token(&world, "default", spec).await;
    assert_eq!(answer["spec"]["expirationSeconds"], 3607);
    let claims = claims(&token);
    let time = |pointer: &str| claims.pointer(pointer).and_then(Value::as_i64).expect("a time");
    assert_eq!(time("/exp") - time("/iat"), 365 * 24 * 3600);
    assert_eq!(time("/kubernetes.io/warnafter") - time("/iat"), 3607);
}

#[rstest]
#[case::too_short("default", json!({"spec": {"expirationSeconds": 599}}), 422,
    "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes")]
#[case::too_long("default", json!({"spec": {"expirationSeconds": 4_294_967_297_i64}}), 422,
    "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds")]
#[case::no_pod("default", json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "nope"}}}), 404,
    "pods \"nope\" not found")]
#[case::no_node("default", json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Node", "name": "nope"}}}), 404,
    "nodes \"nope\" not found")]
#[case::no_secret("default", json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": "nope"}}}), 404,
    "secrets \"nope\" not found")]
#[case::odd_kind("default", json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Foo", "name": "x"}}}), 400,
    "cannot bind token to object of type /v1, Kind=Foo")]
#[case::nameless("default", json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod"}}}), 400,
    "Name parameter required.")]
#[case::no_account("ghost", json!({}), 404, "serviceaccounts \"ghost\" not found")]
#[case::other_name("default", json!({"metadata": {"name": "other"}}), 422,
    "TokenRequest.authentication.k8s.io \"default\" is invalid: metadata.name: Invalid value: \"other\": must match the service account name if specified")]
#[case::other_kind("default", json!({"kind": "Pod", "apiVersion": "v1"}), 400,
    "Pod in version \"v1\" cannot be handled as a TokenRequest: converting (v1.Pod) to (authentication.TokenRequest): unknown conversion")]
#[case::wrong_type("default", json!({"spec": {"audiences": "x"}}), 400,
    "TokenRequest in version \"v1\" cannot be handled as a TokenRequest: json: cannot unmarshal string into Go struct field TokenRequestSpec.spec.audiences of type []string")]
#[tokio::test]
async fn a_token_that_cannot_be_is_refused_in_the_servers_words(
    #[case] account: &str,
    #[case] body: Value,
    #[case] code: u16,
    #[case] message: &str,
) {
    let world = World::start().await;
    let client = world.client(User::VaultProxy).await;
    let refused = refusal(post(&client, &token_path(&world, account), body).await);
    assert_eq!((refused.0, refused.2.as_str()), (code, message));
}

#[tokio::test]
async fn a_token_is_bound_to_the_very_pod_and_to_one_of_its_account() {
    let world = World::start().await;
    let pod = run_pod(&world, "p").await;
    let client = world.client(User::VaultProxy).await;
    let other = json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "another"}}});
    let refused = refusal(post(&client, &token_path(&world, "default"), other).await);
    let message = "Operation cannot be fulfilled on Pod \"p\": the UID in the bound object reference (another) does not match the UID in record. The object might have been deleted and then recreated";
    assert_eq!(refused, (409, "Conflict".to_owned(), message.to_owned()));
    make_account(&world, "other").await;
    let bound = json!({"spec": {"boundObjectRef": bound_to(&pod)}});
    let refused = refusal(post(&client, &token_path(&world, "other"), bound).await);
    let message = "cannot bind token for serviceaccount \"other\" to pod running with different serviceaccount name.";
    assert_eq!(refused, (400, "BadRequest".to_owned(), message.to_owned()));
}

async fn make_account(world: &World, name: &str) -> Api<ServiceAccount> {
    let accounts = Api::namespaced(world.client(User::Admin).await, &world.namespace);
    let account = serde_json::from_value(json!({"metadata": {"name": name}})).expect("an account");
    accounts
        .create(&PostParams::default(), &account)
        .await
        .expect("created");
    accounts
}

#[tokio::test]
async fn a_review_says_who_holds_a_token_and_for_which_of_the_audiences() {
    let world = World::start().await;
    let pod = run_pod(&world, "p").await;
    let spec = json!({"audiences": ["vault", "other"], "boundObjectRef": bound_to(&pod)});
    let (text, _) = token(&world, "default", spec).await;
    let status = review(&world, &text, json!(["x", "vault"])).await;
    assert_eq!(
        (&status["authenticated"], &status["audiences"]),
        (&json!(true), &json!(["vault"]))
    );
    let user = &status["user"];
    assert_eq!(
        user["username"],
        format!("system:serviceaccount:{}:default", world.namespace)
    );
    assert_eq!(user["uid"], claims(&text)["kubernetes.io"]["serviceaccount"]["uid"]);
    assert_eq!(
        user["groups"],
        json!([
            "system:serviceaccounts",
            format!("system:serviceaccounts:{}", world.namespace),
            "system:authenticated"
        ])
    );
    let extra = |key: &str| user["extra"][format!("authentication.kubernetes.io/{key}")][0].clone();
    assert_eq!((extra("pod-name"), extra("pod-uid")), (json!("p"), json!(pod.uid())));
    assert_eq!(extra("node-name"), json!(pod.spec.and_then(|spec| spec.node_name)));
    assert_eq!(
        extra("credential-id"),
        json!(format!("JTI={}", claims(&text)["jti"].as_str().expect("an id")))
    );
    // It is not for the API server.
    let own = review(&world, &text, Value::Null).await;
    assert_eq!(
        own,
        json!({"user": {}, "error": "[invalid bearer token, token audiences [\"vault\" \"other\"] is invalid for the target audiences [\"https://kubernetes.default.svc.cluster.local\"]]"})
    );
    let refused = refusal(post(&world.client_by_token(Some(&text)).await, SELF_REVIEWS, json!({})).await);
    assert_eq!(refused.0, 401);
}

#[tokio::test]
async fn a_token_that_is_none_is_invalid_and_a_forged_one_is_told_apart() {
    let world = World::start().await;
    let (text, _) = token(&world, "default", json!({})).await;
    let (signed, _) = text.rsplit_once('.').expect("three parts");
    for (token, error) in [
        ("garbage".to_owned(), "invalid bearer token"),
        ("a.b.c".to_owned(), "invalid bearer token"),
        (
            format!("{signed}.AAAA"),
            "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]",
        ),
    ] {
        let status = review(&world, &token, json!(["vault"])).await;
        assert_eq!(status, json!({"user": {}, "error": error}), "{token}");
    }
    let client = world.client(User::TokenReviewer).await;
    let refused = refusal(post(&client, REVIEWS, json!({"spec": {}})).await);
    assert_eq!(refused.2, "token is required for TokenReview in authentication");
}

#[tokio::test]
async fn a_token_ends_with_its_pod_and_with_its_account() {
    let world = World::start().await;
    let pods = world.pods().await;
    let pod = run_pod(&world, "p").await;
    // A real server remembers for ten seconds that a token was good, so each is shown once.
    let spec = json!({"audiences": ["vault"], "boundObjectRef": bound_to(&pod)});
    let (bound, _) = token(&world, "default", spec).await;
    pods.delete("p", &DeleteParams::default().grace_period(0))
        .await
        .expect("deleted");
    eventually("the pod is gone", async || {
        pods.get_opt("p").await.expect("answered").is_none().then_some(())
    })
    .await;
    let status = review(&world, &bound, json!(["vault"])).await;
    assert_eq!(
        status["error"],
        "[invalid bearer token, service account token has been invalidated]"
    );
    let accounts = make_account(&world, "brief").await;
    let (first, answer) = token(&world, "brief", json!({})).await;
    let (second, _) = token(&world, "brief", json!({})).await;
    accounts
        .delete("brief", &DeleteParams::default())
        .await
        .expect("deleted");
    let status = review(&world, &first, Value::Null).await;
    assert_eq!(
        status["error"],
        "[invalid bearer token, serviceaccounts \"brief\" not found]"
    );
    make_account(&world, "brief").await;
    let uid = accounts.get("brief").await.expect("there").uid().expect("a UID");
    let status = review(&world, &second, Value::Null).await;
    let claimed = answer["metadata"]["uid"].as_str().expect("a UID");
    assert_eq!(
        status["error"],
        format!("[invalid bearer token, service account UID ({uid}) does not match claim ({claimed})]")
    );
}

#[tokio::test]
async fn a_token_ends_when_its_time_is_over() {
    let world = World::start().await;
    let Some(embedded) = world.embedded() else {
        eprintln!("skipped: a real API server's clock cannot be moved");
        return;
    };
    let (text, _) = token(&world, "default", json!({"expirationSeconds": 600})).await;
    // A server forgives a minute.
    embedded.clock.advance(std::time::Duration::from_secs(655));
    assert_eq!(review(&world, &text, Value::Null).await["authenticated"], true);
    embedded.clock.advance(std::time::Duration::from_secs(10));
    let status = review(&world, &text, Value::Null).await;
    assert_eq!(
        status["error"],
        "[invalid bearer token, service account token has expired]"
    );
    let refused = refusal(post(&world.client_by_token(Some(&text)).await, SELF_REVIEWS, json!({})).await);
    assert_eq!(refused.0, 401);
}

#[tokio::test]
async fn the_holder_of_a_token_may_ask_who_it_is_and_for_the_keys_and_nothing_else() {
    let world = World::start().await;
    let (text, _) = token(&world, "default", json!({})).await;
    let client = world.client_by_token(Some(&text)).await;
    let name = format!("system:serviceaccount:{}:default", world.namespace);
    let own = post(&client, SELF_REVIEWS, json!({})).await.expect("reviewed");
    assert_eq!(own["kind"], "SelfSubjectReview");
    assert_eq!(own["status"]["userInfo"]["username"], name);
    let pods: Api<Pod> = Api::namespaced(client.clone(), &world.namespace);
    let refused = refusal(pods.get("p").await);
    let message = format!(
        "pods \"p\" is forbidden: User \"{name}\" cannot get resource \"pods\" in API group \"\" in the namespace \"{}\"",
        world.namespace
    );
    assert_eq!(refused, (403, "Forbidden".to_owned(), message));
    let refused = refusal(post(&client, REVIEWS, json!({"spec": {"token": "x"}})).await);
    let message = format!(
        "tokenreviews.authentication.k8s.io is forbidden: User \"{name}\" cannot create resource \"tokenreviews\" in API group \"authentication.k8s.io\" at the cluster scope"
    );
    assert_eq!(refused, (403, "Forbidden".to_owned(), message));
}

#[rstest]
#[case(User::Proxy, false)]
#[case(User::TokenReviewer, false)]
#[case(User::VaultProxy, true)]
#[case(User::Admin, true)]
#[tokio::test]
async fn only_who_may_gets_a_token_of_another(#[case] user: User, #[case] may: bool) {
    let world = World::start().await;
    let client = world.client(user).await;
    let answer = post(&client, &token_path(&world, "default"), json!({"spec": {}})).await;
    if may {
        answer.expect("a token");
        return;
    }
    let message = format!(
        "serviceaccounts \"default\" is forbidden: User \"{}\" cannot create resource \"serviceaccounts/token\" in API group \"\" in the namespace \"{}\"",
        user.name(),
        world.namespace
    );
    assert_eq!(refusal(answer), (403, "Forbidden".to_owned(), message));
}

#[tokio::test]
async fn anybody_with_a_token_finds_the_issuer_and_the_key_that_signed_it() {
    let world = World::start().await;
    let (text, _) = token(&world, "default", json!({})).await;
    let client = world.client_by_token(Some(&text)).await;
    let get = async |path: &str| {
        let request = Request::get(path).body(Vec::new()).expect("a request");
        client.request::<Value>(request).await.expect("answered")
    };
    let document = get("/.well-known/openid-configuration").await;
    assert_eq!(document["issuer"], claims(&text)["iss"]);
    assert_eq!(document["response_types_supported"], json!(["id_token"]));
    assert_eq!(document["subject_types_supported"], json!(["public"]));
    assert!(
        document["jwks_uri"]
            .as_str()
            .is_some_and(|at| at.ends_with("/openid/v1/jwks")),
        "{document}"
    );
    let header = URL_SAFE_NO_PAD
        .decode(text.split('.').next().expect("a header"))
        .expect("base64");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    let keys = get("/openid/v1/jwks").await;
    let key = &keys["keys"][0];
    assert_eq!(
        (&key["kid"], &key["alg"], &key["use"]),
        (&header["kid"], &header["alg"], &json!("sig"))
    );
    assert_eq!(document["id_token_signing_alg_values_supported"], json!([key["alg"]]));
    let mut fields: Vec<&String> = document.as_object().expect("an object").keys().collect();
    fields.sort();
    assert_eq!(
        fields,
        [
            "id_token_signing_alg_values_supported",
            "issuer",
            "jwks_uri",
            "response_types_supported",
            "subject_types_supported"
        ]
    );
}
