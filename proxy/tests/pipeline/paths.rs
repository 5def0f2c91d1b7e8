//! Which spellings are answered, which pass, and which reach nobody.

use rstest::rstest;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{header, method, path},
};

use crate::world::{CREDENTIALS, LISTING, Options, POD, World, pod};

#[rstest]
#[case("/latest/meta-data/iam/security-credentials/")]
#[case("/latest/meta-data/iam/security-credentials")]
#[case("/2021-07-15/meta-data/iam/security-credentials/")]
#[case("/1.0/meta-data/iam/security-credentials")]
#[case("/latest/meta-data/iam/security-credentials/?x=1")]
#[case("http://169.254.169.254/latest/meta-data/iam/security-credentials/")]
#[tokio::test]
async fn the_listing_is_the_roles_name_alone(#[case] path: &str) {
    let world = World::new(Options::default()).await;
    let answer = world.get(POD, path).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "MyPodRole"));
    assert!(answer.head.contains("content-type: text/plain"), "{answer:?}");
}

#[rstest]
#[case("MyPodRole", "MyPodRole")]
#[case("MyPodRole", "MyPodRole/")]
#[case("team/reader", "team/reader")]
#[case("team/reader", "team/reader/")]
#[case("a=b@c", "a%3Db%40c")]
#[case("arn:aws:iam::999999999999:role/x", "arn:aws:iam::999999999999:role/x")]
#[case("MyPodRole", "arn:aws:iam::123456789012:role/MyPodRole")]
#[tokio::test]
async fn the_document_is_at_the_roles_name(#[case] annotation: &str, #[case] asked: &str) {
    let world = World::new(Options::default()).await;
    world.pods.apply(pod(POD, Some(annotation)));
    let answer = world.get(POD, &format!("{CREDENTIALS}{asked}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let keys: Vec<_> = answer.body.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(
        keys,
        [
            "Code",
            "LastUpdated",
            "Type",
            "AccessKeyId",
            "SecretAccessKey",
            "Token",
            "Expiration"
        ]
    );
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let world = World::new(Options::default()).await;
    let answer = world
        .send(POD, &format!("HEAD {LISTING} HTTP/1.1\r\nHost: 169.254.169.254"))
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert!(answer.head.contains("content-length: 9"), "{answer:?}");
}

/// None of these reaches the node's metadata service, although the world's rules pass everything below `meta-data/`.
#[rstest]
#[case("/Latest/meta-data/iam/security-credentials/")]
#[case("/latest/meta-data/IAM/security-credentials/")]
#[case("/latest/meta-data/iam/Security-Credentials/node")]
#[case("//latest/meta-data/iam/security-credentials/node")]
#[case("/latest//meta-data/iam/security-credentials/node")]
#[case("/latest/meta-data//iam/security-credentials/node")]
#[case("/latest/meta-data/iam//security-credentials/node")]
#[case("/latest/meta-data/iam%2fsecurity-credentials/node")]
#[case("/latest/meta-data/iam%2Fsecurity-credentials%2Fnode")]
#[case("/latest/meta-data/%69am/security-credentials/node")]
#[case("/latest/meta-data/./iam/security-credentials/node")]
#[case("/latest/meta-data/x/../iam/security-credentials/node")]
#[case("/latest/meta-data/x/%2e%2e/iam/security-credentials/node")]
#[case("/latest/meta-data/iam/security-credentials;x/node")]
#[case("/latest/meta-data/iam;/security-credentials/node")]
#[case("/latest/meta-data/iam/info")]
#[case("/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance")]
#[case("/latest/user-data")]
#[case("/latest/dynamic/instance-identity/document")]
#[case("/latest/meta-data/")]
#[case("/latest/meta-data/instance-id?x")]
#[case("/latest/meta-data/instance-id/")]
#[case("/latest/meta-data/instance-id%20")]
#[case("/latest/meta-data/placement/../iam/info")]
#[case("/")]
#[case("http://169.254.169.254/latest/meta-data/instance-id")]
#[case("http://169.254.169.254/latest/meta-data/iam/info")]
#[case("http://169.254.169.254//latest/meta-data/iam/security-credentials/node")]
#[tokio::test]
async fn an_unusual_spelling_reaches_nobody(#[case] target: &str) {
    let world = World::new(Options::default()).await;
    world.metadata_answers_everything().await;
    let answer = world.get(POD, target).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert!(!answer.body.contains("upstream"), "{answer:?}");
    assert!(world.metadata_was_asked().await.is_empty());
    assert_eq!(world.sts.count(), 0);
}

#[tokio::test]
async fn what_a_rule_allows_is_fetched_with_a_token_of_our_own_and_nothing_of_the_client() {
    let world = World::new(Options::default()).await;
    Mock::given(method("PUT"))
        .and(path("/latest/api/token"))
        .respond_with(ResponseTemplate::new(200).set_body_string("node-token"))
        .mount(&world.metadata)
        .await;
    Mock::given(method("GET"))
        .and(path("/latest/meta-data/instance-id"))
        .and(header("x-aws-ec2-metadata-token", "node-token"))
        .respond_with(ResponseTemplate::new(200).set_body_string("i-0123456789abcdef0"))
        .mount(&world.metadata)
        .await;
    let head = "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: 169.254.169.254\r\n\
                X-Forwarded-For: 10.0.0.1\r\nX-Secret: of-the-pod";
    for _ in 0..2 {
        let answer = world.send(POD, head).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "i-0123456789abcdef0"));
    }
    let requests = world.metadata.received_requests().await.unwrap();
    assert_eq!(requests.len(), 3, "one token serves both");
    for request in requests {
        assert!(!request.headers.contains_key("x-forwarded-for") && !request.headers.contains_key("x-secret"));
    }
}

#[tokio::test]
async fn a_metadata_service_that_is_slow_or_says_too_much_is_no_answer() {
    let world = World::new(Options::default()).await;
    Mock::given(method("PUT"))
        .respond_with(ResponseTemplate::new(200).set_body_string("node-token"))
        .mount(&world.metadata)
        .await;
    Mock::given(path("/latest/meta-data/slow"))
        .respond_with(ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(5)))
        .mount(&world.metadata)
        .await;
    Mock::given(path("/latest/meta-data/large"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 100_000]))
        .mount(&world.metadata)
        .await;
    Mock::given(path("/latest/meta-data/elsewhere"))
        .respond_with(ResponseTemplate::new(301).insert_header("location", "/latest/meta-data/iam/info"))
        .mount(&world.metadata)
        .await;
    assert_eq!(world.get(POD, "/latest/meta-data/slow").await.status, 502);
    assert_eq!(world.get(POD, "/latest/meta-data/large").await.status, 502);
    let redirected = world.get(POD, "/latest/meta-data/elsewhere").await;
    assert_eq!(redirected.status, 404);
    assert!(!redirected.head.contains("location"));
}
