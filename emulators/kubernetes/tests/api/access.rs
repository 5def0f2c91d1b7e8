//! Who may ask, and how: tokens, permissions, HTTP versions, discovery.

use std::sync::Arc;

use crate::{
    embedded::{Embedded, pod, refusal},
    world::World,
};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    client::Body,
    discovery::{Discovery, Scope},
};
use rolecall_kubernetes::{ExposeSecret, User};
use rstest::rstest;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde_json::{Value, json};

#[tokio::test]
async fn a_token_that_nobody_has_is_unauthorized() {
    let world = World::start().await;
    let pods: Api<Pod> = Api::all(world.client_by_token(Some("somebody-elses")).await);
    let refused = refusal(pods.list(&ListParams::default()).await);
    assert_eq!(refused, (401, "Unauthorized".to_owned(), "Unauthorized".to_owned()));
}

async fn create(client: Client, namespace: &str) -> (u16, String, String) {
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    refusal(pods.create(&PostParams::default(), &pod("p", json!({}))).await)
}

async fn patch(client: Client) -> (u16, String, String) {
    let namespaces: Api<Namespace> = Api::all(client);
    refusal(
        namespaces
            .patch("default", &PatchParams::default(), &Patch::Merge(json!({})))
            .await,
    )
}

async fn delete(client: Client) -> (u16, String, String) {
    let pods: Api<Pod> = Api::namespaced(client, "kube-system");
    refusal(pods.delete("p", &DeleteParams::default()).await)
}

#[tokio::test]
async fn the_proxys_user_may_read_and_change_nothing() {
    let world = World::start().await;
    let client = world.client(User::Proxy).await;
    let pods: Api<Pod> = Api::all(client.clone());
    pods.list(&ListParams::default()).await.expect("reading is allowed");
    for (refused, message) in [
        (
            create(client.clone(), &world.namespace).await,
            format!("pods is forbidden: User \"rolecall-proxy\" cannot create resource \"pods\" in API group \"\" in the namespace \"{}\"", world.namespace),
        ),
        (
            patch(client.clone()).await,
            "namespaces \"default\" is forbidden: User \"rolecall-proxy\" cannot patch resource \"namespaces\" in API group \"\" in the namespace \"default\"".to_owned(),
        ),
        (
            delete(client.clone()).await,
            "pods \"p\" is forbidden: User \"rolecall-proxy\" cannot delete resource \"pods\" in API group \"\" in the namespace \"kube-system\"".to_owned(),
        ),
    ] {
        assert_eq!(refused, (403, "Forbidden".to_owned(), message));
    }
    let Some(embedded) = world.embedded() else { return };
    let request = embedded
        .cluster
        .requests()
        .into_iter()
        .find(|request| request.verb == "create" && request.user == User::Proxy.name())
        .expect("recorded");
    assert_eq!(
        (request.user.as_str(), request.status, request.method.as_str()),
        ("rolecall-proxy", 403, "POST")
    );
    assert!(request.from.ip().is_loopback());
}

/// One request; the status and the JSON that came back.
async fn ask(client: &Client, path: &str) -> (u16, Value) {
    let request = http::Request::get(path).body(Body::empty()).expect("a request");
    let response = client.send(request).await.expect("answered");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[derive(Clone, Copy)]
enum Version {
    Http1,
    Http2,
}

/// One raw request; the status and the JSON that came back.
async fn get(world: &Embedded, version: Version, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut roots = rustls::RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(world.cluster.ca_pem().as_bytes()).expect("a certificate");
    roots.add(ca).expect("an authority");
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![match version {
        Version::Http1 => b"http/1.1".to_vec(),
        Version::Http2 => b"h2".to_vec(),
    }];
    let stream = tokio::net::TcpStream::connect(world.address).await.expect("connected");
    let name = ServerName::try_from("kubernetes.default.svc").expect("a name");
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TokioIo::new(
        connector
            .connect(name, stream)
            .await
            .expect("the certificate is good for the name"),
    );
    let mut request = hyper::Request::get(format!("https://kubernetes.default.svc{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<bytes::Bytes>::new()).expect("a request");
    let response = match version {
        Version::Http1 => {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.expect("HTTP/1.1");
            tokio::spawn(connection);
            let (mut head, body) = request.into_parts();
            head.headers
                .insert("host", "kubernetes.default.svc".parse().expect("a host"));
            head.uri = path.parse().expect("a path");
            sender.send_request(hyper::Request::from_parts(head, body)).await
        }
        Version::Http2 => {
            let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
                .await
                .expect("HTTP/2");
            tokio::spawn(connection);
            sender.send_request(request).await
        }
    };
    let response = response.expect("answered");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[rstest]
#[case(Version::Http1)]
#[case(Version::Http2)]
#[tokio::test]
async fn both_http_versions_answer_json_whatever_is_accepted(#[case] version: Version) {
    let Some(world) = Embedded::alone("is asked through kube-rs only").await else {
        return;
    };
    let token = format!("Bearer {}", world.cluster.token(User::Proxy).expose_secret());
    let accept = "application/vnd.kubernetes.protobuf, application/json";
    let headers = [("authorization", token.as_str()), ("accept", accept)];
    let (status, list) = get(&world, version, "/api/v1/nodes?limit=1", &headers).await;
    assert_eq!((status, list["kind"].as_str()), (200, Some("NodeList")));
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
}

#[rstest]
#[case("/healthz", 200, "")]
#[case("/version", 200, "")]
#[case(
    "/api/v1/pods",
    403,
    "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
)]
#[case("/api", 403, "forbidden: User \"system:anonymous\" cannot get path \"/api\"")]
#[tokio::test]
async fn without_a_token_only_health_and_version_are_told(
    #[case] path: &str,
    #[case] code: u16,
    #[case] message: &str,
) {
    let world = World::start().await;
    let (status, body) = ask(&world.client_by_token(None).await, path).await;
    assert_eq!((status, body["message"].as_str().unwrap_or_default()), (code, message));
}

#[rstest]
#[case::no_secrets_here("/api/v1/secrets", 404, "the server could not find the requested resource")]
#[case("/api/v2/pods", 404, "the server could not find the requested resource")]
#[case("/apis/apps/v2", 404, "the server could not find the requested resource")]
#[case("/apis/apps/v1/frobs", 404, "the server could not find the requested resource")]
#[case("/api/v1/pods/p", 404, "the server could not find the requested resource")]
#[case(
    "/api/v1/namespaces/default/nodes",
    404,
    "the server could not find the requested resource"
)]
#[case(
    "/api/v1/namespaces/default/pods/p/log",
    404,
    "the server could not find the requested resource"
)]
#[case("/api/v1/namespaces/default/pods/p", 404, "pods \"p\" not found")]
#[case("/api/v1/pods?limit=x", 400, "strconv.ParseInt: parsing \"x\": invalid syntax")]
#[case(
    "/api/v1/pods?continue=x",
    400,
    "invalid continue token: continue key is not valid: "
)]
#[case("/api/v1/pods?fieldSelector=spec.x%3D1", 400, "field label not supported: spec.x")]
#[case("/api/v1/pods?fieldSelector=a", 400, "invalid selector: 'a'; can't understand 'a'")]
#[case(
    "/api/v1/pods?labelSelector=a%20b%20c",
    400,
    "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"
)]
#[case(
    "/api/v1/pods?resourceVersion=x",
    400,
    "invalid resource version: resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax"
)]
#[case(
    "/api/v1/pods?watch=1&sendInitialEvents=true",
    422,
    "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden"
)]
#[case(
    "/api/v1/pods?watch=1&resourceVersionMatch=NotOlderThan",
    422,
    "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden"
)]
#[tokio::test]
async fn what_is_not_there_or_not_meant_is_a_status(#[case] path: &str, #[case] code: u16, #[case] message: &str) {
    let world = World::start().await;
    // What this server does not have.
    if world.embedded().is_none() && (path.ends_with("/secrets") || path.ends_with("/log")) {
        return;
    }
    let (status, body) = ask(&world.client(User::Admin).await, path).await;
    assert_eq!(
        (status, body["kind"].as_str(), body["code"].as_u64()),
        (code, Some("Status"), Some(code.into()))
    );
    assert!(
        body["message"].as_str().is_some_and(|said| said.starts_with(message)),
        "{body}"
    );
}

// Not through kube-rs, which asks again for minutes after a 504.
#[tokio::test]
async fn a_version_that_is_not_reached_yet_is_a_timeout() {
    let Some(world) = Embedded::alone("is asked through kube-rs only").await else {
        return;
    };
    let token = format!("Bearer {}", world.cluster.token(User::Admin).expose_secret());
    let path = "/api/v1/pods?resourceVersion=99999999";
    let (status, body) = get(&world, Version::Http1, path, &[("authorization", token.as_str())]).await;
    let message = body["message"].as_str().unwrap_or_default();
    assert_eq!(status, 504);
    assert!(
        message.starts_with("Timeout: Too large resource version: 99999999, current: "),
        "{body}"
    );
}

#[rstest]
#[case("/nothing")]
#[case("/apis/extensions")]
#[case("/apis/extensions/v1beta1/daemonsets")]
#[tokio::test]
async fn what_no_api_group_knows_is_a_page_that_is_not_found(#[case] path: &str) {
    let world = World::start().await;
    let answer = ask(&world.client(User::Admin).await, path).await;
    assert_eq!(answer, (404, json!("404 page not found\n")));
}

#[tokio::test]
async fn a_client_discovers_the_resources() {
    let world = World::start().await;
    let client = world.client(User::Proxy).await;
    assert_eq!(client.apiserver_version().await.expect("a version").minor, "36");
    let discovery = Discovery::new(client).run().await.expect("discovered");
    let group = discovery.get("").expect("the core group");
    let mut found: Vec<(String, bool)> = group
        .recommended_resources()
        .into_iter()
        .map(|(resource, capabilities)| (resource.plural, capabilities.scope == Scope::Namespaced))
        .collect();
    found.sort();
    let expected = [
        ("namespaces", false),
        ("nodes", false),
        ("pods", true),
        ("serviceaccounts", true),
    ];
    // A real server has more.
    found.retain(|(plural, _)| expected.iter().any(|(known, _)| known == plural));
    assert_eq!(
        found,
        expected.map(|(plural, namespaced)| (plural.to_owned(), namespaced))
    );
}

#[tokio::test]
async fn tokens_are_not_shown_by_accident() {
    let Some(world) = Embedded::alone("shows no Debug of ours").await else {
        return;
    };
    let token = world.cluster.token(User::Admin);
    let shown = format!("{:?} {:?}", world.cluster, token);
    assert!(!shown.contains(token.expose_secret()), "{shown}");
}
