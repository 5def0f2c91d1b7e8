use http::Method;
use rstest::rstest;

use crate::{
    signer::Keys,
    world::{Ask, Reply, World},
};

const ETAG: &str = "\"9dd4e461268c8034f5c8564e155c67a6\"";

async fn with_objects() -> World {
    let world = World::start().await;
    for bucket in ["/reports", "/archive"] {
        world.ask(&world.root, Ask::s3(Method::PUT, bucket)).await;
    }
    let put = Ask {
        headers: vec![("content-type", "text/csv".to_owned())],
        body: b"x".to_vec(),
        ..Ask::s3(Method::PUT, "/reports/dir/a%20b")
    };
    assert_eq!(world.ask(&world.root, put).await.status, 200);
    world
}

async fn copy(world: &World, keys: &Keys, to: &str, headers: &[(&str, &str)]) -> Reply {
    let owned = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let ask = Ask {
        headers: owned.collect(),
        ..Ask::s3(Method::PUT, to)
    };
    world.ask(keys, ask).await
}

#[rstest]
#[case::plain(&[("x-amz-copy-source", "reports/dir/a%20b")], "text/csv")]
#[case::with_a_slash(&[("x-amz-copy-source", "/reports/dir%2Fa%20b")], "text/csv")]
#[case::if_match(&[("x-amz-copy-source", "reports/dir/a%20b"), ("x-amz-copy-source-if-match", ETAG)], "text/csv")]
#[case::replaced(
    &[("x-amz-copy-source", "reports/dir/a%20b"), ("x-amz-metadata-directive", "REPLACE"), ("content-type", "text/plain")],
    "text/plain"
)]
#[tokio::test]
async fn a_copy_has_the_body_of_its_source(#[case] headers: &[(&str, &str)], #[case] content_type: &str) {
    let world = with_objects().await;
    let reply = copy(&world, &world.root, "/archive/c", headers).await;
    assert_eq!(
        (reply.status, reply.element("ETag")),
        (200, Some("&quot;9dd4e461268c8034f5c8564e155c67a6&quot;"))
    );
    let entry = world.front.journal().pop().expect("an entry");
    assert_eq!(entry.operation, "CopyObject");
    let got = world.get(&world.root, "/archive/c").await;
    assert_eq!((got.body.as_str(), got.header("content-type")), ("x", content_type));
}

#[rstest]
#[case::no_key(&[("x-amz-copy-source", "reports")], 400, "InvalidArgument")]
#[case::absent(&[("x-amz-copy-source", "reports/none")], 404, "NoSuchKey")]
#[case::no_bucket(&[("x-amz-copy-source", "nobodys/a")], 404, "NoSuchBucket")]
#[case::version(&[("x-amz-copy-source", "reports/dir/a%20b?versionId=1")], 501, "NotImplemented")]
#[case::if_match(
    &[("x-amz-copy-source", "reports/dir/a%20b"), ("x-amz-copy-source-if-match", "\"0\"")], 412, "PreconditionFailed"
)]
#[case::if_none_match(
    &[("x-amz-copy-source", "reports/dir/a%20b"), ("x-amz-copy-source-if-none-match", ETAG)], 412, "PreconditionFailed"
)]
#[case::directive(
    &[("x-amz-copy-source", "reports/dir/a%20b"), ("x-amz-metadata-directive", "KEEP")], 400, "InvalidArgument"
)]
#[case::an_acl(&[("x-amz-copy-source", "reports/dir/a%20b"), ("x-amz-acl", "public-read")], 400, "AccessControlListNotSupported")]
#[case::the_directive_alone(&[("x-amz-metadata-directive", "COPY")], 501, "NotImplemented")]
#[tokio::test]
async fn a_copy_that_cannot_be_made_is_refused(
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
    #[case] code: &str,
) {
    let world = with_objects().await;
    let reply = copy(&world, &world.root, "/archive/c", headers).await;
    assert_eq!(reply.error(), (status, code), "{}", reply.body);
    assert_eq!(world.get(&world.root, "/archive/c").await.status, 404);
}

#[tokio::test]
async fn an_object_is_not_copied_to_itself_unless_something_changes() {
    let world = with_objects().await;
    let source = ("x-amz-copy-source", "reports/dir/a%20b");
    let reply = copy(&world, &world.root, "/reports/dir/a%20b", &[source]).await;
    assert_eq!(reply.error(), (400, "InvalidRequest"));
    let headers = [source, ("x-amz-metadata-directive", "REPLACE")];
    assert_eq!(
        copy(&world, &world.root, "/reports/dir/a%20b", &headers).await.status,
        200
    );
}

#[rstest]
#[case::both("s3:GetObject", "s3:PutObject", 200)]
#[case::reading_alone("s3:GetObject", "s3:GetObject", 403)]
#[case::writing_alone("s3:PutObject", "s3:PutObject", 403)]
#[tokio::test]
async fn a_copy_needs_leave_to_read_and_to_write(#[case] source: &str, #[case] target: &str, #[case] status: u16) {
    let world = with_objects().await;
    let alice = world.user("alice").await;
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[
        {{"Effect":"Allow","Action":"{source}","Resource":"arn:aws:s3:::reports/*"}},
        {{"Effect":"Allow","Action":"{target}","Resource":"arn:aws:s3:::archive/*"}}]}}"#
    );
    let params = [
        ("UserName", "alice"),
        ("PolicyName", "p"),
        ("PolicyDocument", &*document),
    ];
    world.iam("PutUserPolicy", &params).await;
    let reply = copy(
        &world,
        &alice,
        "/archive/c",
        &[("x-amz-copy-source", "reports/dir/a%20b")],
    )
    .await;
    assert_eq!(reply.status, status, "{}", reply.body);
    let absent = copy(&world, &alice, "/archive/d", &[("x-amz-copy-source", "reports/none")]).await;
    assert_eq!(absent.error(), (403, "AccessDenied"), "who may not list learns nothing");
}
