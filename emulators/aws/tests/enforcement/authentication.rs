use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::SignableBody;
use bytes::Bytes;
use http::{Method, Request};
use rstest::rstest;

use crate::{
    signer::{How, Keys, signed},
    world::{Ask, World, query},
};

/// A harmless call to each service.
fn call(service: &'static str) -> Ask<'static> {
    match service {
        "sts" => query("sts", "GetCallerIdentity", &[]),
        "iam" => query("iam", "ListRoles", &[]),
        "ec2" => query("ec2", "DescribeInstances", &[]),
        "es" => Ask {
            service: "es",
            path: "/2015-01-01/domain",
            ..Ask::s3(Method::GET, "/")
        },
        _ => Ask::s3(Method::GET, "/"),
    }
}

/// An error's code in any of the forms.
fn code(reply: &crate::world::Reply) -> (u16, String) {
    let json = reply.header("x-amzn-errortype");
    let code = if json.is_empty() { reply.error().1 } else { json };
    (reply.status, code.to_owned())
}

#[rstest]
#[case("s3", 403, "InvalidAccessKeyId")]
#[case("sts", 403, "InvalidClientTokenId")]
#[case("iam", 403, "InvalidClientTokenId")]
#[case("es", 403, "UnrecognizedClientException")]
#[case("ec2", 401, "AuthFailure")]
#[tokio::test]
async fn an_unknown_key_is_refused_in_the_services_own_words(
    #[case] service: &'static str,
    #[case] status: u16,
    #[case] expected: &str,
) {
    let world = World::start().await;
    let unknown = Keys {
        id: "AKIAUNKNOWN".to_owned(),
        secret: "x".to_owned(),
        token: None,
    };
    let reply = world.ask(&unknown, call(service)).await;
    assert_eq!(code(&reply), (status, expected.to_owned()), "{}", reply.body);
    let entry = world.front.journal().pop().expect("an entry");
    assert_eq!(
        (entry.answer.as_str(), entry.service.as_str(), entry.caller),
        (expected, service, None)
    );
}

#[rstest]
#[case("s3", 400, "ExpiredToken")]
#[case("sts", 403, "ExpiredToken")]
#[case("iam", 403, "ExpiredToken")]
#[case("es", 403, "ExpiredTokenException")]
#[case("ec2", 400, "RequestExpired")]
#[tokio::test]
async fn a_session_ends_when_the_worlds_clock_says_so(
    #[case] service: &'static str,
    #[case] status: u16,
    #[case] expected: &str,
) {
    let world = World::start().await;
    let pod = world.pod().await;
    world.clock.advance(Duration::from_secs(3590));
    assert_ne!(
        code(&world.ask(&pod, call(service)).await).1,
        expected,
        "ten seconds before"
    );
    world.clock.advance(Duration::from_secs(20));
    let reply = world.ask(&pod, call(service)).await;
    assert_eq!(code(&reply), (status, expected.to_owned()), "{}", reply.body);
    let entry = world.front.journal().pop().expect("an entry");
    assert_eq!(entry.caller.expect("the key is known").role.as_deref(), Some("pod"));
}

#[rstest]
#[case::s3_wrong("s3", Some("wrong"), 400, "InvalidToken")]
#[case::s3_missing("s3", None, 403, "InvalidAccessKeyId")]
#[case::sts_wrong("sts", Some("wrong"), 403, "InvalidClientTokenId")]
#[case::sts_missing("sts", None, 403, "InvalidClientTokenId")]
#[case::es_wrong("es", Some("wrong"), 403, "UnrecognizedClientException")]
#[tokio::test]
async fn a_session_key_needs_its_own_token(
    #[case] service: &'static str,
    #[case] token: Option<&str>,
    #[case] status: u16,
    #[case] expected: &str,
) {
    let world = World::start().await;
    let pod = Keys {
        token: token.map(str::to_owned),
        ..world.pod().await
    };
    let reply = world.ask(&pod, call(service)).await;
    assert_eq!(code(&reply), (status, expected.to_owned()), "{}", reply.body);
}

#[rstest]
#[case("s3", 403, "SignatureDoesNotMatch")]
#[case("sts", 403, "SignatureDoesNotMatch")]
#[case("es", 403, "InvalidSignatureException")]
#[case("ec2", 401, "AuthFailure")]
#[tokio::test]
async fn a_wrong_secret_is_refused(#[case] service: &'static str, #[case] status: u16, #[case] expected: &str) {
    let world = World::start().await;
    let wrong = Keys {
        secret: "wrong".to_owned(),
        ..world.root.clone()
    };
    let reply = world.ask(&wrong, call(service)).await;
    assert_eq!(code(&reply), (status, expected.to_owned()), "{}", reply.body);
}

#[rstest]
#[case::s3("/", 403, "AccessDenied")]
#[case::sts("/?Action=GetCallerIdentity&Version=2011-06-15", 403, "MissingAuthenticationToken")]
#[case::es("/2015-01-01/domain", 403, "MissingAuthenticationTokenException")]
#[tokio::test]
async fn an_unsigned_request_is_refused(#[case] path: &str, #[case] status: u16, #[case] expected: &str) {
    let world = World::start().await;
    let request = Request::get(world.url(path)).body(Bytes::new()).expect("a request");
    let reply = world.send(request).await;
    assert_eq!(code(&reply), (status, expected.to_owned()), "{}", reply.body);
}

#[rstest]
#[case::real_time_in_a_moved_world(3600, 0, true)]
#[case::world_time_in_a_moved_world(3600, 3600, true)]
#[case::neither(3600, 1800, false)]
#[case::a_little_slow(0, -890, true)]
#[case::too_slow(0, -920, false)]
#[case::too_fast(0, 920, false)]
#[tokio::test]
async fn a_signature_may_be_dated_by_the_worlds_clock_or_the_real_one(
    #[case] advance: u64,
    #[case] dated: i64,
    #[case] accepted: bool,
) {
    let world = World::start().await;
    world.clock.advance(Duration::from_secs(advance));
    let at: SystemTime = (rolecall_clock::real_wall() + jiff::SignedDuration::from_secs(dated)).into();
    let request = Request::get(world.url("/")).body(Bytes::new()).expect("a request");
    let how = How {
        service: "s3",
        at,
        body: SignableBody::Bytes(&[]),
        presigned: None,
    };
    let reply = world.send(signed(request, &world.root, how)).await;
    let expected = if accepted {
        (200, "none")
    } else {
        (403, "RequestTimeTooSkewed")
    };
    assert_eq!(reply.error(), expected, "{}", reply.body);
}

#[rstest]
#[case::good(0, 60, (200, "none"))]
#[case::over(61, 60, (403, "AccessDenied"))]
#[tokio::test]
async fn a_presigned_url_is_good_for_its_time(#[case] age: i64, #[case] life: u64, #[case] expected: (u16, &str)) {
    let world = World::start().await;
    let at: SystemTime = (rolecall_clock::real_wall() - jiff::SignedDuration::from_secs(age)).into();
    let request = Request::get(world.url("/")).body(Bytes::new()).expect("a request");
    let how = How {
        service: "s3",
        at,
        body: SignableBody::UnsignedPayload,
        presigned: Some(Duration::from_secs(life)),
    };
    let reply = world.send(signed(request, &world.root, how)).await;
    assert_eq!(reply.error(), expected, "{}", reply.body);
}

#[rstest]
#[case::within_its_life(30, (200, "none"))]
#[case::past_its_life(61, (403, "AccessDenied"))]
#[tokio::test]
async fn a_presigned_url_ends_by_the_worlds_clock(#[case] advance: u64, #[case] expected: (u16, &str)) {
    let world = World::start().await;
    let request = Request::get(world.url("/")).body(Bytes::new()).expect("a request");
    let how = How {
        service: "s3",
        at: world.clock.wall().into(),
        body: SignableBody::UnsignedPayload,
        presigned: Some(Duration::from_secs(60)),
    };
    let request = signed(request, &world.root, how);
    world.clock.advance(Duration::from_secs(advance));
    let reply = world.send(request).await;
    assert_eq!(reply.error(), expected, "{}", reply.body);
}

#[tokio::test]
async fn a_presigned_url_with_another_path_is_refused() {
    let world = World::start().await;
    let request = Request::get(world.url("/reports/a"))
        .body(Bytes::new())
        .expect("a request");
    let how = How {
        service: "s3",
        at: world.clock.wall().into(),
        body: SignableBody::UnsignedPayload,
        presigned: Some(Duration::from_secs(60)),
    };
    let mut request = signed(request, &world.root, how);
    *request.uri_mut() = request
        .uri()
        .to_string()
        .replace("/reports/a", "/reports/b")
        .parse()
        .expect("a URI");
    assert_eq!(world.send(request).await.error(), (403, "SignatureDoesNotMatch"));
}

#[tokio::test]
async fn a_signature_of_version_two_is_refused_by_its_name() {
    let world = World::start().await;
    let request = Request::get(world.url("/b/k?AWSAccessKeyId=AKIAROOT&Signature=x&Expires=1"))
        .body(Bytes::new())
        .expect("a request");
    assert_eq!(world.send(request).await.error(), (400, "InvalidRequest"));
}

#[tokio::test]
async fn s3_refuses_an_amz_header_that_is_not_signed() {
    let world = World::start().await;
    let mut request = world.sign(&world.root, Ask::s3(Method::GET, "/"));
    request
        .headers_mut()
        .insert("x-amz-meta-added", "x".parse().expect("a header"));
    let reply = world.send(request).await;
    assert_eq!(reply.error(), (403, "AccessDenied"));
    assert_eq!(reply.element("HeadersNotSigned"), Some("x-amz-meta-added"));
}
