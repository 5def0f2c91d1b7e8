//! AWS calls, by a process of their own as in a pod: the environment is built, and standard input and output are the
//! whole interface.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use rolecall_probe::{Call, CallReport, Keys, Outcome, Report, Sdk, SilenceKind, Task, operations};
use rstest::rstest;
use serde_json::{Map, Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method, path},
};

const LISTING: &str = "/latest/meta-data/iam/security-credentials/";

/// The probe's exit code, report and standard error.
struct Probed {
    code: Option<i32>,
    report: Report,
    stderr: String,
}

/// Runs the probe with this input and an environment that holds what a world gives, and `more`.
async fn probe(input: String, endpoint: &str, metadata: &str, more: &[(&str, &str)]) -> Probed {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall-probe"));
    command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("HOME", "/nonexistent");
    command
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata)
        .envs(more.iter().copied());
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("the probe starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("written");
        drop(stdin);
        child.wait_with_output().expect("the probe ends")
    });
    let output = output.await.expect("no panic");
    Probed {
        code: output.status.code(),
        report: serde_json::from_slice(&output.stdout).expect("a report"),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

async fn call(task: Call, endpoint: &str, metadata: &str) -> CallReport {
    let input = serde_json::to_string(&Task::Call(task)).expect("JSON");
    let probed = probe(input, endpoint, metadata, &[]).await;
    assert_eq!(
        (probed.code, probed.stderr.as_str()),
        (Some(0), ""),
        "{:?}",
        probed.report
    );
    match probed.report {
        Report::Call(report) => *report,
        other => panic!("{other:?}"),
    }
}

fn with_keys(operation: &str, with: Value) -> Call {
    Call {
        with: with.as_object().cloned().unwrap_or_default(),
        keys: Some(Keys {
            access_key_id: "ASIAGIVEN".to_owned(),
            secret_access_key: "very-secret".into(),
            session_token: Some("very-token".into()),
        }),
        ..Call::new(operation)
    }
}

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// A metadata service that hands out one key.
async fn metadata(role: &str) -> MockServer {
    let server = MockServer::start().await;
    let token = ResponseTemplate::new(200).set_body_string("tok");
    let token = token.insert_header("x-aws-ec2-metadata-token-ttl-seconds", "21600");
    Mock::given(method("PUT")).respond_with(token).mount(&server).await;
    let listing = ResponseTemplate::new(200).set_body_string(role);
    Mock::given(path(LISTING)).respond_with(listing).mount(&server).await;
    let document = json!({
        "Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC", "AccessKeyId": "ASIAPOD",
        "SecretAccessKey": "very-secret", "Token": "very-token", "Expiration": "2099-01-01T00:00:00Z",
    });
    let document = ResponseTemplate::new(200).set_body_json(document);
    Mock::given(path(format!("{LISTING}MyPodRole")))
        .respond_with(document)
        .mount(&server)
        .await;
    server
}

/// An address at which nothing listens, and which nobody else is given as long as this lives.
struct Nowhere {
    uri: String,
    _bound: tokio::net::TcpSocket,
}

fn nowhere() -> Nowhere {
    let bound = tokio::net::TcpSocket::new_v4().expect("a socket");
    bound
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a free port");
    let address = bound.local_addr().expect("an address");
    Nowhere {
        uri: format!("http://{address}"),
        _bound: bound,
    }
}

fn denied() -> ResponseTemplate {
    let body = "<Error><Code>AccessDenied</Code><Message>no s3:ListBucket for you</Message></Error>";
    ResponseTemplate::new(403)
        .set_body_string(body)
        .insert_header("x-amz-request-id", "REQ1")
}

#[tokio::test]
async fn a_denial_is_told_with_code_status_request_id_and_the_key_that_signed() {
    let aws = answering(denied()).await;
    let report = call(with_keys("s3:ListBuckets", json!({})), &aws.uri(), &nowhere().uri).await;
    let Outcome::Error { code, message, status } = &report.outcome else {
        panic!("{report:?}")
    };
    assert_eq!((code.as_str(), *status), ("AccessDenied", Some(403)));
    assert_eq!(message.as_deref(), Some("no s3:ListBucket for you"));
    assert_eq!(report.access_key_id.as_deref(), Some("ASIAGIVEN"));
    assert_eq!(report.request_id.as_deref(), Some("REQ1"));
    assert_eq!((report.status, report.attempts), (Some(403), 1));
}

#[tokio::test]
async fn without_keys_the_pods_metadata_service_is_asked_and_its_key_signs() {
    let (aws, imds) = (answering(denied()).await, metadata("MyPodRole").await);
    let report = call(Call::new("s3:ListBuckets"), &aws.uri(), &imds.uri()).await;
    assert_eq!(report.access_key_id.as_deref(), Some("ASIAPOD"), "{report:?}");
    let requests = aws.received_requests().await.expect("recorded");
    assert_eq!(requests[0].headers["x-amz-security-token"], "very-token");
}

#[rstest]
#[case::refused(403)]
#[case::not_there(404)]
#[tokio::test]
async fn with_nothing_to_sign_with_nothing_is_sent(#[case] status: u16) {
    let (aws, imds) = (
        answering(denied()).await,
        answering(ResponseTemplate::new(status)).await,
    );
    for operation in ["s3:ListBuckets", "es:ListDomainNames"] {
        let report = call(Call::new(operation), &aws.uri(), &imds.uri()).await;
        assert!(matches!(report.outcome, Outcome::NoCredentials { .. }), "{report:?}");
        assert_eq!((report.attempts, report.access_key_id), (0, None));
    }
    assert_eq!(aws.received_requests().await.expect("recorded").len(), 0);
}

#[tokio::test]
async fn a_key_of_the_environment_comes_before_the_metadata_service() {
    let (aws, imds) = (answering(denied()).await, metadata("MyPodRole").await);
    let input = serde_json::to_string(&Task::Call(Call::new("sts:GetCallerIdentity"))).expect("JSON");
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let Report::Call(report) = probe(input, &aws.uri(), &imds.uri(), &keys).await.report else {
        panic!()
    };
    assert_eq!(report.access_key_id.as_deref(), Some("AKIAENV"));
}

#[tokio::test]
async fn every_operation_of_the_table_is_sent_and_signed() {
    for operation in operations() {
        let aws = answering(ResponseTemplate::new(403)).await;
        let required = operation.with.iter().filter(|parameter| parameter.required);
        let with: Map<_, _> = required
            .map(|parameter| (parameter.name.to_owned(), json!("some-name-of-20-letters")))
            .collect();
        let report = call(
            with_keys(operation.name, Value::Object(with)),
            &aws.uri(),
            &nowhere().uri,
        )
        .await;
        assert!(
            matches!(report.outcome, Outcome::Error { .. }),
            "{}: {report:?}",
            operation.name
        );
        assert_eq!(report.access_key_id.as_deref(), Some("ASIAGIVEN"), "{}", operation.name);
        let requests = aws.received_requests().await.expect("recorded");
        assert_eq!(requests.len(), 1, "{}", operation.name);
        for request in &requests {
            let authorization = request.headers["authorization"].to_str().expect("text");
            assert!(
                authorization.starts_with("AWS4-HMAC-SHA256 Credential=ASIAGIVEN/"),
                "{authorization}"
            );
            assert_eq!(request.headers["x-amz-security-token"], "very-token");
        }
    }
}

#[tokio::test]
async fn a_bucket_is_addressed_by_its_path_and_an_object_comes_back_as_it_is() {
    let aws = answering(ResponseTemplate::new(200).set_body_string("revenue,42")).await;
    let task = with_keys("s3:GetObject", json!({ "bucket": "reports", "key": "q1.csv" }));
    // Before an address the SDK never puts a bucket; before a name it would.
    let named = aws.uri().replace("127.0.0.1", "localhost");
    let report = call(task, &named, &nowhere().uri).await;
    let Outcome::Ok { body: Some(body), .. } = &report.outcome else {
        panic!("{report:?}")
    };
    assert_eq!(body.text, "revenue,42");
    assert_eq!(
        aws.received_requests().await.expect("recorded")[0].url.path(),
        "/reports/q1.csv"
    );
}

#[rstest]
#[case(
    "s3:ListBuckets",
    "<ListAllMyBucketsResult><Buckets><Bucket><Name>a</Name></Bucket><Bucket><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>"
)]
#[case(
    "iam:ListUsers",
    "<ListUsersResponse><ListUsersResult><Users><member><Path>/</Path><UserName>a</UserName><UserId>1</UserId><Arn>x</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></member><member><Path>/</Path><UserName>b</UserName><UserId>2</UserId><Arn>y</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></member></Users></ListUsersResult></ListUsersResponse>"
)]
#[case("es:ListDomainNames", r#"{"DomainNames":[{"DomainName":"a"},{"DomainName":"b"}]}"#)]
#[case(
    "ec2:DescribeRegions",
    "<R><regionInfo><item><regionName>a</regionName></item><item><regionName>b</regionName></item></regionInfo></R>"
)]
#[tokio::test]
async fn what_a_listing_lists_is_told_by_name(#[case] operation: &str, #[case] body: &str) {
    let aws = answering(ResponseTemplate::new(200).set_body_string(body)).await;
    let report = call(with_keys(operation, json!({})), &aws.uri(), &nowhere().uri).await;
    let Outcome::Ok { lists: Some(lists), .. } = &report.outcome else {
        panic!("{report:?}")
    };
    assert_eq!(lists, &["a", "b"]);
}

#[rstest]
#[case::es(
    "es:ListDomainNames",
    r#"{"Message":"no"}"#,
    Some("AccessDeniedException:http://x/"),
    "AccessDeniedException"
)]
#[case::ec2(
    "ec2:DescribeInstances",
    "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>",
    None,
    "UnauthorizedOperation"
)]
#[case::head_has_no_body("s3:HeadObject", "", None, "403")]
#[tokio::test]
async fn the_code_is_found_where_the_service_puts_it(
    #[case] operation: &str,
    #[case] body: &str,
    #[case] header: Option<&str>,
    #[case] expected: &str,
) {
    let mut answer = ResponseTemplate::new(403).set_body_string(body);
    if let Some(header) = header {
        answer = answer.insert_header("x-amzn-errortype", header);
    }
    let aws = answering(answer).await;
    let with = if operation == "s3:HeadObject" {
        json!({ "bucket": "b", "key": "k" })
    } else {
        json!({})
    };
    let report = call(with_keys(operation, with), &aws.uri(), &nowhere().uri).await;
    assert!(
        matches!(&report.outcome, Outcome::Error { code, .. } if code == expected),
        "{report:?}"
    );
}

#[rstest]
#[case("s3:ListBuckets")]
#[case("ec2:DescribeRegions")]
#[tokio::test]
async fn a_service_that_is_not_there_is_a_silence(#[case] operation: &str) {
    let nowhere = nowhere();
    let report = call(with_keys(operation, json!({})), &nowhere.uri, &nowhere.uri).await;
    assert!(
        matches!(&report.outcome, Outcome::Silence(silence) if silence.kind == SilenceKind::Refused),
        "{report:?}"
    );
    assert_eq!(report.status, None);
}

#[tokio::test]
async fn a_server_error_is_tried_twice() {
    let aws = answering(ResponseTemplate::new(503)).await;
    let report = call(
        with_keys("sts:GetCallerIdentity", json!({})),
        &aws.uri(),
        &nowhere().uri,
    )
    .await;
    assert_eq!((report.status, report.attempts), (Some(503), 2), "{report:?}");
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_heeded() {
    let (aws, nowhere) = (answering(denied()).await, nowhere());
    let input = serde_json::to_string(&Task::Call(with_keys("s3:ListBuckets", json!({})))).expect("JSON");
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"].map(|name| (name, nowhere.uri.as_str()));
    let Report::Call(report) = probe(input, &aws.uri(), &nowhere.uri, &proxies).await.report else {
        panic!()
    };
    assert_eq!(report.status, Some(403), "{report:?}");
}

#[rstest]
#[case::no_json("{", "not a task")]
#[case::unknown_kind(r#"{"dance":{}}"#, "unknown variant `dance`")]
#[case::unknown_field(r#"{"imds":{"target":"/","folow":true}}"#, "unknown field `folow`")]
#[case::unknown_operation(r#"{"call":{"operation":"s3:EatBucket"}}"#, "`s3:EatBucket` is unknown")]
#[case::missing(
    r#"{"call":{"operation":"s3:GetObject","with":{"bucket":"b"}}}"#,
    "s3:GetObject needs `key`"
)]
#[case::unknown_parameter(
    r#"{"call":{"operation":"s3:ListBuckets","with":{"bucket":"b"}}}"#,
    "takes no `bucket`"
)]
#[tokio::test]
async fn a_task_that_makes_no_sense_is_an_error_and_exit_2(#[case] input: &str, #[case] message: &str) {
    let nowhere = nowhere();
    let probed = probe(input.to_owned(), &nowhere.uri, &nowhere.uri, &[]).await;
    assert!(
        matches!(&probed.report, Report::Error(err) if err.contains(message)),
        "{:?}",
        probed.report
    );
    assert_eq!((probed.code, probed.stderr.as_str()), (Some(2), ""));
}

#[tokio::test]
async fn without_an_endpoint_nothing_is_asked() {
    let input = r#"{"call":{"operation":"s3:ListBuckets"}}"#.to_owned();
    let probed = probe(input, "", &nowhere().uri, &[]).await;
    assert!(
        matches!(&probed.report, Report::Error(err) if err.contains("AWS_ENDPOINT_URL")),
        "{:?}",
        probed.report
    );
}

async fn sdk(imds: &str) -> (rolecall_probe::SdkReport, String) {
    let input = serde_json::to_string(&Task::Sdk(Sdk::default())).expect("JSON");
    let probed = probe(input, "", imds, &[]).await;
    assert_eq!(probed.code, Some(0));
    match probed.report {
        Report::Sdk(report) => (report, probed.stderr),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_sdks_own_provider_tells_keys_and_expiry() {
    let imds = metadata("MyPodRole").await;
    let (report, _) = sdk(&imds.uri()).await;
    let keys = report.keys.expect("keys");
    assert_eq!(
        (keys.access_key_id.as_str(), keys.secret_access_key.reveal()),
        ("ASIAPOD", "very-secret")
    );
    assert_eq!(report.expiration.as_deref(), Some("2099-01-01T00:00:00Z"));
}

#[tokio::test]
async fn a_role_name_on_which_the_sdk_panics_is_a_failure_and_no_crash() {
    let imds = metadata("MyPodRole\n").await;
    let (report, stderr) = sdk(&imds.uri()).await;
    assert!(report.keys.is_none() && report.failure.is_some(), "{report:?}");
    assert!(!stderr.contains("very-secret"), "{stderr}");
}

#[test]
fn no_secret_of_a_task_is_in_its_debug_output() {
    let shown = format!("{:?}", Task::Call(with_keys("s3:ListBuckets", json!({}))));
    assert!(shown.contains("ASIAGIVEN") && !shown.contains("very-"), "{shown}");
}

#[tokio::test]
async fn the_keys_of_an_assumed_role_come_back_and_are_not_shown() {
    let body = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIANEW</AccessKeyId>\
                <SecretAccessKey>very-secret</SecretAccessKey><SessionToken>very-token</SessionToken>\
                <Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    let aws = answering(ResponseTemplate::new(200).set_body_string(body)).await;
    let task = with_keys(
        "sts:AssumeRole",
        json!({ "role_arn": "arn:aws:iam::000000000000:role/R", "policy": { "a": 1 } }),
    );
    let report = call(task, &aws.uri(), &nowhere().uri).await;
    assert!(!format!("{report:?}").contains("very-"), "{report:?}");
    let Outcome::Ok { json, .. } = report.outcome else {
        panic!("{:?}", report.outcome)
    };
    let keys = json!({
        "AccessKeyId": "ASIANEW", "SecretAccessKey": "very-secret", "SessionToken": "very-token",
        "Expiration": "2026-01-01T01:00:00Z",
    });
    assert_eq!(json["Credentials"], keys);
    let sent = aws.received_requests().await.expect("recorded");
    assert!(String::from_utf8_lossy(&sent[0].body).contains("Policy=%7B%22a%22%3A1%7D"));
}
