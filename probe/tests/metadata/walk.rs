//! The walk to the credentials.

use crate::server::{Server, Then};
use rolecall_probe::{Credentials, Report, SilenceKind, Task, TokenUse, Walk, perform};
use rstest::rstest;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

const LISTING: &str = "/latest/meta-data/iam/security-credentials/";
const DOCUMENT: &str = r#"{"Code":"Success","LastUpdated":"2026-01-01T00:00:00Z","Type":"AWS-HMAC","AccessKeyId":"ASIAX","SecretAccessKey":"very-secret","Token":"very-token","Expiration":"2026-01-01T01:00:00Z"}"#;

async fn walk(task: Credentials) -> Walk {
    match perform(Task::Credentials(task)).await {
        Report::Walks(mut walks) => walks.pop().expect("one walk"),
        other => panic!("{other:?}"),
    }
}

/// A metadata service that answers the token, the listing and any document with these.
async fn service(token: ResponseTemplate, listing: ResponseTemplate, document: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("PUT")).respond_with(token).mount(&server).await;
    Mock::given(path(LISTING)).respond_with(listing).mount(&server).await;
    Mock::given(method("GET")).respond_with(document).mount(&server).await;
    server
}

fn answer(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_string(body)
}

fn towards(server: &MockServer) -> Credentials {
    Credentials {
        metadata: server.address().to_string(),
        ..Credentials::default()
    }
}

/// `METHOD path token` of every request that arrived.
async fn asked(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.expect("recorded");
    let token = |request: &wiremock::Request| {
        let token = request.headers.get("x-aws-ec2-metadata-token");
        token.map_or("-", |token| token.to_str().expect("text")).to_owned()
    };
    requests
        .iter()
        .map(|r| format!("{} {} {}", r.method, r.url.path(), token(r)))
        .collect()
}

#[tokio::test]
async fn a_walk_asks_for_a_token_then_the_listing_then_the_document() {
    let server = service(answer(200, "tok"), answer(200, "MyPodRole"), answer(200, DOCUMENT)).await;
    let walk = walk(towards(&server)).await;
    let expected = [
        "PUT /latest/api/token -".to_owned(),
        format!("GET {LISTING} tok"),
        format!("GET {LISTING}MyPodRole tok"),
    ];
    assert_eq!(asked(&server).await, expected);
    let requests = server.received_requests().await.expect("recorded");
    assert_eq!(requests[0].headers["x-aws-ec2-metadata-token-ttl-seconds"], "21600");

    assert_eq!(
        (walk.role_name.as_deref(), walk.ended_at, walk.failure.clone()),
        (Some("MyPodRole"), 2, None)
    );
    let document = walk.document.expect("a document");
    assert_eq!(document.access_key_id.as_deref(), Some("ASIAX"));
    assert_eq!(
        document.secret_access_key.as_ref().map(|secret| secret.reveal()),
        Some("very-secret")
    );
    assert_eq!(document.expiration.as_deref(), Some("2026-01-01T01:00:00Z"));
    assert_eq!(document.names[..3], ["Code", "LastUpdated", "Type"]);
}

#[tokio::test]
async fn no_secret_of_a_walk_is_in_its_debug_output() {
    let server = service(answer(200, "sesame"), answer(200, "MyPodRole"), answer(200, DOCUMENT)).await;
    let shown = format!("{:?}", walk(towards(&server)).await);
    for secret in ["very-secret", "very-token", "sesame"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("ASIAX"), "{shown}");
}

#[rstest]
#[case::not_modified_by_a_proxy(403, 3)]
#[case::unknown_there(404, 3)]
#[case::get_only(405, 3)]
#[case::bad_ttl(400, 1)]
#[case::broken(500, 1)]
#[tokio::test]
async fn only_some_refusals_of_a_token_lead_on_without_one(#[case] status: u16, #[case] exchanges: usize) {
    let server = service(answer(status, ""), answer(200, "R"), answer(200, DOCUMENT)).await;
    let walk = walk(towards(&server)).await;
    assert_eq!(walk.exchanges.len(), exchanges);
    assert_eq!(walk.document.is_some(), exchanges == 3);
    assert!(asked(&server).await.iter().all(|request| request.ends_with(" -")));
}

#[rstest]
#[case::with_an_end(answer(200, "tok\n"))]
#[case::empty(answer(200, ""))]
#[tokio::test]
async fn a_token_that_no_header_can_carry_ends_the_walk(#[case] token: ResponseTemplate) {
    let server = service(token, answer(200, "R"), answer(200, DOCUMENT)).await;
    let walk = walk(towards(&server)).await;
    assert_eq!(walk.failure.map(|silence| silence.kind), Some(SilenceKind::Unreadable));
    assert_eq!(walk.exchanges.len(), 1);
}

#[rstest]
#[case::two_lines(answer(200, "First\nSecond"), Some("First"), 3)]
#[case::empty(answer(200, ""), None, 2)]
#[case::refused(answer(404, "MyPodRole"), None, 2)]
#[case::moved(ResponseTemplate::new(301).insert_header("location", "/"), None, 2)]
#[tokio::test]
async fn the_first_line_of_a_200_names_the_role(
    #[case] listing: ResponseTemplate,
    #[case] name: Option<&str>,
    #[case] exchanges: usize,
) {
    let server = service(answer(200, "tok"), listing, answer(200, DOCUMENT)).await;
    let walk = walk(towards(&server)).await;
    assert_eq!((walk.role_name.as_deref(), walk.exchanges.len()), (name, exchanges));
    assert_eq!(walk.ended_at, exchanges - 1);
}

#[tokio::test]
async fn another_roles_document_is_asked_for_even_if_the_listing_is_refused() {
    let server = service(answer(200, "tok"), answer(403, ""), answer(200, DOCUMENT)).await;
    let task = Credentials {
        ask_for: Some("../Other".to_owned()),
        token: TokenUse::Given("mine".into()),
        ..towards(&server)
    };
    let walk = walk(task).await;
    assert_eq!(walk.exchanges[1].target, format!("{LISTING}../Other"));
    assert_eq!(
        walk.document.and_then(|document| document.access_key_id).as_deref(),
        Some("ASIAX")
    );
}

#[tokio::test]
async fn a_key_that_leaks_with_a_refusal_is_seen() {
    let server = service(
        answer(200, "tok"),
        answer(200, "R"),
        answer(403, r#"{"accessKeyID":"AKIAX"}"#),
    )
    .await;
    let walk = walk(towards(&server)).await;
    let document = walk.document.clone().expect("a document");
    assert_eq!(
        (document.access_key_id.as_deref(), document.names),
        (Some("AKIAX"), vec!["accessKeyID".to_owned()])
    );
    assert_eq!(walk.last().and_then(|last| last.status), Some(403));
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closed_is_opened_again() {
    let server = Server::start(|index, _| match index {
        // A 200 that lets the connection stay open, though the server then closes it.
        0 => Then::Close("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntok".into()),
        _ => Then::Answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nR".into()),
    });
    let server = server.await;
    let walk = walk(Credentials {
        metadata: server.address.clone(),
        ..Credentials::default()
    })
    .await;
    assert_eq!(walk.failure, None);
    assert_eq!((walk.role_name.as_deref(), server.requests().len()), (Some("R"), 3));
}

#[tokio::test]
async fn walks_at_once_are_each_told() {
    let server = service(answer(200, "tok"), answer(200, "R"), answer(200, DOCUMENT)).await;
    let task = Credentials {
        at_once: 20,
        ..towards(&server)
    };
    let Report::Walks(walks) = perform(Task::Credentials(task)).await else {
        panic!("no walks")
    };
    assert_eq!(walks.iter().filter(|walk| walk.document.is_some()).count(), 20);
    assert_eq!(asked(&server).await.len(), 60);
}
