use aws_sigv4::http_request::SignableBody;
use bytes::Bytes;
use http::{Method, Request};
use rstest::rstest;

use crate::world::{Ask, World};

/// `revenue,42` in two chunks and its CRC32, as the SDKs send it.
const CHUNKED: &str = "5\r\nreven\r\n5\r\nue,42\r\n0\r\nx-amz-checksum-crc32:+e0ZOg==\r\n\r\n";

fn chunked(body: &str) -> Ask<'static> {
    Ask {
        headers: vec![
            ("content-encoding", "aws-chunked".to_owned()),
            ("x-amz-decoded-content-length", "10".to_owned()),
            ("x-amz-sdk-checksum-algorithm", "CRC32".to_owned()),
            ("x-amz-trailer", "x-amz-checksum-crc32".to_owned()),
        ],
        body: body.as_bytes().to_vec(),
        payload: Some(SignableBody::StreamingUnsignedPayloadTrailer),
        ..Ask::s3(Method::PUT, "/reports/dir/a%20b?x-id=PutObject")
    }
}

async fn world_with_bucket() -> World {
    let world = World::start().await;
    let reply = world.ask(&world.root, Ask::s3(Method::PUT, "/reports")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    world
}

#[tokio::test]
async fn an_object_sent_in_chunks_comes_back_whole() {
    let world = world_with_bucket().await;
    let reply = world.ask(&world.root, chunked(CHUNKED)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("x-amz-checksum-crc32"), "+e0ZOg==");
    let reply = world.get(&world.root, "/reports/dir/a%20b?x-id=GetObject").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "revenue,42"));
    assert_eq!(reply.header("content-encoding"), "", "how it came is not what it is");
    let head = world
        .ask(&world.root, Ask::s3(Method::HEAD, "/reports/dir/a%20b"))
        .await;
    assert_eq!(
        (head.status, head.header("content-length"), head.body.as_str()),
        (200, "10", "")
    );
}

#[rstest]
#[case::wrong_checksum(CHUNKED.replace("+e0", "+e1"), "BadDigest")]
#[case::changed_body(CHUNKED.replace("42", "43"), "BadDigest")]
#[case::cut("5\r\nreven\r\n".to_owned(), "IncompleteBody")]
#[case::shorter_than_said("5\r\nreven\r\n0\r\n\r\n".to_owned(), "IncompleteBody")]
#[tokio::test]
async fn a_chunked_body_that_does_not_agree_with_itself_is_refused(#[case] body: String, #[case] code: &str) {
    let world = world_with_bucket().await;
    let reply = world.ask(&world.root, chunked(&body)).await;
    assert_eq!(reply.error(), (400, code), "{}", reply.body);
    assert_eq!(world.get(&world.root, "/reports/dir/a%20b").await.status, 404);
}

#[rstest]
#[case::hashed(None)]
#[case::unsigned(Some(SignableBody::UnsignedPayload))]
#[tokio::test]
async fn an_object_keeps_its_headers_in_every_payload_mode(#[case] payload: Option<SignableBody<'static>>) {
    let world = world_with_bucket().await;
    let put = Ask {
        headers: vec![
            ("content-type", "text/csv".to_owned()),
            ("x-amz-meta-owner", "finance".to_owned()),
        ],
        body: b"x".to_vec(),
        payload,
        ..Ask::s3(Method::PUT, "/reports/q1.csv")
    };
    let reply = world.ask(&world.root, put).await;
    assert_eq!(
        (reply.status, reply.header("etag")),
        (200, "\"9dd4e461268c8034f5c8564e155c67a6\"")
    );
    let reply = world.get(&world.root, "/reports/q1.csv").await;
    assert_eq!(
        (reply.header("content-type"), reply.header("x-amz-meta-owner")),
        ("text/csv", "finance")
    );
}

#[rstest]
#[case("if-none-match", "\"9dd4e461268c8034f5c8564e155c67a6\"", 304)]
#[case("if-none-match", "\"other\"", 200)]
#[case("if-match", "\"other\"", 412)]
#[case("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT", 304)]
#[case("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT", 200)]
#[case("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT", 412)]
#[case("range", "bytes=0-0", 206)]
#[tokio::test]
async fn a_condition_on_an_object_is_heeded(#[case] name: &str, #[case] value: &str, #[case] status: u16) {
    let world = world_with_bucket().await;
    let put = Ask {
        body: b"x".to_vec(),
        ..Ask::s3(Method::PUT, "/reports/a")
    };
    world.ask(&world.root, put).await;
    let get = Ask {
        headers: vec![(name, value.to_owned())],
        ..Ask::s3(Method::GET, "/reports/a")
    };
    assert_eq!(world.ask(&world.root, get).await.status, status);
}

#[tokio::test]
async fn an_absent_key_is_told_only_to_who_may_list() {
    let get = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    let world = world_with_bucket().await;
    let pod = world.pod().await;
    let params = [("RoleName", "pod"), ("PolicyName", "get"), ("PolicyDocument", get)];
    world.iam("PutRolePolicy", &params).await;
    assert_eq!(world.get(&pod, "/reports/absent").await.error(), (403, "AccessDenied"));
    assert_eq!(
        world.get(&world.root, "/reports/absent").await.error(),
        (404, "NoSuchKey")
    );
    assert_eq!(
        world.get(&world.root, "/absent/absent").await.error(),
        (404, "NoSuchBucket")
    );
}

#[tokio::test]
async fn a_policy_on_one_bucket_opens_that_bucket_alone() {
    let one = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket","s3:PutObject"],
        "Resource":["arn:aws:s3:::reports","arn:aws:s3:::reports/in/*"]}]}"#;
    let world = world_with_bucket().await;
    world.ask(&world.root, Ask::s3(Method::PUT, "/other")).await;
    let pod = world.pod().await;
    world
        .iam(
            "PutRolePolicy",
            &[("RoleName", "pod"), ("PolicyName", "one"), ("PolicyDocument", one)],
        )
        .await;
    assert_eq!(world.ask(&pod, Ask::s3(Method::PUT, "/reports/in/a")).await.status, 200);
    let refused = world.ask(&pod, Ask::s3(Method::PUT, "/reports/out")).await;
    assert_eq!(refused.error(), (403, "AccessDenied"));
    assert!(
        refused
            .body
            .contains("s3:PutObject on resource: &quot;arn:aws:s3:::reports/out&quot;"),
        "{}",
        refused.body
    );
    let listed = world
        .get(&pod, "/reports?list-type=2&prefix=in%2F&encoding-type=url")
        .await;
    assert_eq!(
        (listed.status, listed.element("Key"), listed.element("KeyCount")),
        (200, Some("in/a"), Some("1"))
    );
    assert_eq!(
        world.get(&pod, "/other?list-type=2").await.error(),
        (403, "AccessDenied")
    );
    let head = world.ask(&pod, Ask::s3(Method::HEAD, "/other")).await;
    assert_eq!((head.status, head.body.as_str()), (403, ""));
}

#[tokio::test]
async fn a_bucket_policy_lets_in_whom_it_names() {
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/public/*"},
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/pod"},"Action":"s3:ListBucket",
         "Resource":"arn:aws:s3:::reports"}]}"#;
    let world = world_with_bucket().await;
    let pod = world.pod().await;
    let put = Ask {
        body: b"x".to_vec(),
        ..Ask::s3(Method::PUT, "/reports/public/a")
    };
    assert_eq!(world.ask(&world.root, put).await.status, 200);
    assert_eq!(world.get(&pod, "/reports?list-type=2").await.status, 403);
    let put = Ask {
        body: policy.as_bytes().to_vec(),
        ..Ask::s3(Method::PUT, "/reports?policy")
    };
    assert_eq!(world.ask(&world.root, put).await.status, 204);
    assert_eq!(world.get(&pod, "/reports?list-type=2").await.status, 200);
    let anonymous = |path| Request::get(world.url(path)).body(Bytes::new()).expect("a request");
    assert_eq!(world.send(anonymous("/reports/public/a")).await.body, "x");
    assert_eq!(
        world.send(anonymous("/reports/private/a")).await.error(),
        (403, "AccessDenied")
    );
}

#[tokio::test]
async fn a_bucket_named_by_the_host_is_the_same_bucket() {
    let world = world_with_bucket().await;
    let put = Ask {
        body: b"x".to_vec(),
        ..Ask::s3(Method::PUT, "/reports/a")
    };
    world.ask(&world.root, put).await;
    let host = "reports.s3.us-east-1.amazonaws.com";
    let get = Ask {
        headers: vec![("host", host.to_owned())],
        ..Ask::s3(Method::GET, "/a")
    };
    let reply = world.ask(&world.root, get).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "x"));
}

#[tokio::test]
async fn a_full_bucket_is_not_deleted() {
    let world = world_with_bucket().await;
    world.ask(&world.root, Ask::s3(Method::PUT, "/reports/a")).await;
    let refused = world.ask(&world.root, Ask::s3(Method::DELETE, "/reports")).await;
    assert_eq!(refused.error(), (409, "BucketNotEmpty"));
    assert_eq!(
        world
            .ask(&world.root, Ask::s3(Method::DELETE, "/reports/a"))
            .await
            .status,
        204
    );
    assert_eq!(
        world.ask(&world.root, Ask::s3(Method::DELETE, "/reports")).await.status,
        204
    );
    let listed = world.get(&world.root, "/").await;
    assert_eq!(listed.element("Buckets"), Some(""));
}

#[rstest]
#[case::few("/reports?list-type=2&max-keys=10", 200, "none")]
#[case::many("/reports?list-type=2&max-keys=11", 403, "AccessDenied")]
#[case::unsaid("/reports?list-type=2", 403, "AccessDenied")]
#[case::no_number("/reports?list-type=2&max-keys=ten", 400, "InvalidArgument")]
#[tokio::test]
async fn a_policy_limits_a_list_by_number_and_until_a_time(
    #[case] path: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let world = world_with_bucket().await;
    let alice = world.user("alice").await;
    let until = world.clock.wall().as_second() + 60;
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*",
        "Condition":{{"NumericLessThanEquals":{{"s3:max-keys":10}},"DateLessThan":{{"aws:CurrentTime":"{until}"}}}}}}]}}"#
    );
    let params = [
        ("UserName", "alice"),
        ("PolicyName", "p"),
        ("PolicyDocument", document.as_str()),
    ];
    world.iam("PutUserPolicy", &params).await;
    assert_eq!(world.get(&alice, path).await.error(), (status, code));
    world.clock.advance(std::time::Duration::from_secs(61));
    let late = world.get(&alice, path).await;
    assert_ne!(late.status, 200, "{}", late.body);
}
