//! What STS is asked, and what is made of its answers.

use std::{collections::HashMap, time::Duration};

use rstest::rstest;
use serde_json::json;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::world::World;

const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/MyPodRole";

/// STS's answers are XML with this around it.
fn xml(body: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleResult>{body}</AssumeRoleResult></AssumeRoleResponse>"
    )
}

async fn gives_keys(sts: &MockServer) {
    let keys = "<Credentials><AccessKeyId>ASIAPOD</AccessKeyId><SecretAccessKey>pod-secret</SecretAccessKey>\
                <SessionToken>pod-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>";
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_raw(xml(keys), "text/xml"))
        .mount(sts)
        .await;
}

async fn refuses(sts: &MockServer, status: u16, code: &str) {
    let error = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>assumed-role/node-role/i-0 is not authorized</Message></Error></ErrorResponse>"
    );
    Mock::given(any())
        .respond_with(ResponseTemplate::new(status).set_body_raw(error, "text/xml"))
        .mount(sts)
        .await;
}

fn form(request: &Request) -> HashMap<String, String> {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

async fn asked(sts: &MockServer) -> Vec<HashMap<String, String>> {
    sts.received_requests()
        .await
        .unwrap_or_default()
        .iter()
        .map(form)
        .collect()
}

#[tokio::test]
async fn sts_is_asked_with_the_nodes_keys_for_the_pods_role() {
    let world = World::new(31, &[]).await;
    gives_keys(&world.sts).await;
    let annotations = json!({ "iam.amazonaws.com/role": "MyPodRole", "iam.amazonaws.com/external-id": "of the pod" });
    let address = world.pod("app", annotations).await;
    let answer = world.get(&address, CREDENTIALS).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let document: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(document["AccessKeyId"], "ASIAPOD");
    assert_eq!(document["Token"], "pod-token");
    assert_eq!(document["Expiration"], "2099-01-01T00:00:00Z");

    let requests = world.sts.received_requests().await.unwrap();
    let signed = requests[0].headers["authorization"].to_str().unwrap();
    assert!(
        signed.contains("Credential=AKIANODE/") && signed.contains("/us-east-1/sts/"),
        "{signed}"
    );
    let form = form(&requests[0]);
    assert_eq!(form["Action"], "AssumeRole");
    assert_eq!(form["RoleArn"], "arn:aws:iam::123456789012:role/MyPodRole");
    assert_eq!(form["ExternalId"], "of the pod");
    assert_eq!(form["DurationSeconds"], "1800");
    assert!(form["RoleSessionName"].ends_with("-MyPodRole"));
}

#[rstest]
#[case(32, 403, "AccessDenied", 403, 1)]
#[case(33, 403, "ExpiredToken", 500, 1)]
#[case(34, 400, "ValidationError", 500, 1)]
#[case(35, 400, "Throttling", 500, 2)]
#[case(36, 503, "ServiceUnavailable", 500, 2)]
#[tokio::test]
async fn only_throttling_and_server_errors_are_worth_a_second_attempt(
    #[case] net: u8,
    #[case] status: u16,
    #[case] code: &str,
    #[case] told: u16,
    #[case] calls: usize,
) {
    let mut world = World::new(net, &[]).await;
    refuses(&world.sts, status, code).await;
    let address = world.pod("app", json!({ "iam.amazonaws.com/role": "MyPodRole" })).await;
    let answer = world.get(&address, CREDENTIALS).await;
    assert_eq!(answer.status, told, "{answer:?}");
    assert!(!answer.body.contains("node"), "{answer:?}");
    assert_eq!(asked(&world.sts).await.len(), calls);
    let metrics = world.admin("GET", "/metrics").await.body;
    let role = "arn:aws:iam::123456789012:role/MyPodRole";
    let counted = format!("kube2iam_iam_request_duration_seconds_count{{code=\"{code}\",role_arn=\"{role}\"}} 1");
    assert!(metrics.lines().any(|line| line == counted), "{metrics}");
    let (_, log) = world.terminate().await;
    assert!(
        log.contains("default/app") && log.contains(code) && log.contains("node-role"),
        "{log}"
    );
}

#[tokio::test]
async fn a_moved_clock_ends_the_keys_time() {
    let world = World::new(37, &["--iam-role-session-ttl=5m"]).await;
    gives_keys(&world.sts).await;
    let address = world.pod("app", json!({ "iam.amazonaws.com/role": "MyPodRole" })).await;
    for _ in 0..2 {
        assert_eq!(world.get(&address, CREDENTIALS).await.status, 200);
    }
    assert_eq!(asked(&world.sts).await.len(), 1);
    world.advance(Duration::from_secs(300)).await;
    assert_eq!(world.get(&address, CREDENTIALS).await.status, 200);
    let requests = asked(&world.sts).await;
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1]["DurationSeconds"], "900");
}

#[tokio::test]
async fn no_secret_is_logged() {
    let mut world = World::new(38, &["--log-level=trace", "--log-format=json"]).await;
    gives_keys(&world.sts).await;
    let address = world.pod("app", json!({ "iam.amazonaws.com/role": "MyPodRole" })).await;
    assert_eq!(world.get(&address, CREDENTIALS).await.status, 200);
    let (_, log) = world.terminate().await;
    assert!(log.contains("served") && log.contains("ASIAPOD"), "{log}");
    for secret in ["pod-secret", "pod-token", "node-secret", "of-this-run"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
