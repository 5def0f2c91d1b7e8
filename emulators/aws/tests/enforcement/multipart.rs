use http::Method;
use rstest::rstest;

use crate::{
    signer::Keys,
    world::{Ask, Reply, World},
};

const PART: usize = 5 << 20;

async fn world() -> World {
    let world = World::start().await;
    let reply = world.ask(&world.root, Ask::s3(Method::PUT, "/reports")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    world
}

async fn send(world: &World, keys: &Keys, method: Method, path: &str, body: impl Into<Vec<u8>>) -> Reply {
    let ask = Ask {
        body: body.into(),
        ..Ask::s3(method, path)
    };
    world.ask(keys, ask).await
}

async fn begin(world: &World) -> String {
    let reply = send(world, &world.root, Method::POST, "/reports/big?uploads", "").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.element("UploadId").expect("an id").to_owned()
}

async fn part(world: &World, id: &str, number: u16, body: Vec<u8>) -> String {
    let path = format!("/reports/big?partNumber={number}&uploadId={id}");
    let reply = send(world, &world.root, Method::PUT, &path, body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.header("etag").to_owned()
}

fn completion(parts: &[(u16, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

#[tokio::test]
async fn parts_become_one_object_in_the_order_of_their_numbers() {
    let world = world().await;
    let id = begin(&world).await;
    let second = part(&world, &id, 7, b"end".to_vec()).await;
    let first = part(&world, &id, 2, vec![b'a'; PART]).await;
    assert_eq!(
        world.get(&world.root, "/reports/big").await.status,
        404,
        "it is none yet"
    );
    let uploads = world.get(&world.root, "/reports?uploads").await;
    assert_eq!(uploads.element("UploadId"), Some(id.as_str()));
    let listed = world
        .get(&world.root, &format!("/reports/big?uploadId={id}&max-parts=1"))
        .await;
    assert_eq!(
        (
            listed.element("PartNumber"),
            listed.element("IsTruncated"),
            listed.element("NextPartNumberMarker")
        ),
        (Some("2"), Some("true"), Some("2"))
    );
    let path = format!("/reports/big?uploadId={id}");
    let body = completion(&[(2, &first), (7, &second)]);
    let done = send(&world, &world.root, Method::POST, &path, body).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(
        done.element("ETag").is_some_and(|etag| etag.ends_with("-2&quot;")),
        "{}",
        done.body
    );
    let object = world.get(&world.root, "/reports/big").await;
    assert_eq!((object.body.len(), &object.body[PART - 1..]), (PART + 3, "aend"));
    let last = world.get(&world.root, "/reports/big?partNumber=2").await;
    assert_eq!(
        (last.status, last.body.as_str(), last.header("x-amz-mp-parts-count")),
        (206, "end", "2")
    );
    let again = send(&world, &world.root, Method::POST, &path, completion(&[(2, &first)])).await;
    assert_eq!(again.error(), (404, "NoSuchUpload"));
}

#[rstest]
#[case::too_small(|a: &str, b: &str| completion(&[(1, b), (2, a)]), "EntityTooSmall")]
#[case::order(|a: &str, b: &str| completion(&[(2, a), (1, b)]), "InvalidPartOrder")]
#[case::another_etag(|a: &str, _: &str| completion(&[(1, a)]), "InvalidPart")]
#[case::absent(|a: &str, _: &str| completion(&[(3, a)]), "InvalidPart")]
#[case::none(|_: &str, _: &str| completion(&[]), "MalformedXML")]
#[case::no_xml(|_: &str, _: &str| "parts".to_owned(), "MalformedXML")]
#[tokio::test]
async fn parts_that_make_no_object_are_refused(#[case] body: fn(&str, &str) -> String, #[case] code: &str) {
    let world = world().await;
    let id = begin(&world).await;
    let second = part(&world, &id, 2, b"two".to_vec()).await;
    let first = part(&world, &id, 1, b"one".to_vec()).await;
    let path = format!("/reports/big?uploadId={id}");
    let reply = send(&world, &world.root, Method::POST, &path, body(&second, &first)).await;
    assert_eq!(reply.error(), (400, code), "{}", reply.body);
    let gone = send(&world, &world.root, Method::DELETE, &path, "").await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    assert_eq!(world.get(&world.root, &path).await.error(), (404, "NoSuchUpload"));
}

#[tokio::test]
async fn a_part_is_copied_by_who_may_read_its_source() {
    let world = world().await;
    send(&world, &world.root, Method::PUT, "/reports/source", "0123456789").await;
    let alice = world.user("alice").await;
    let put = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}"#;
    let params = [("UserName", "alice"), ("PolicyName", "put"), ("PolicyDocument", put)];
    world.iam("PutUserPolicy", &params).await;
    let id = begin(&world).await;
    let path = format!("/reports/big?partNumber=1&uploadId={id}");
    let ask = || Ask {
        headers: vec![
            ("x-amz-copy-source", "/reports/source".to_owned()),
            ("x-amz-copy-source-range", "bytes=2-4".to_owned()),
        ],
        ..Ask::s3(Method::PUT, &path)
    };
    assert_eq!(world.ask(&alice, ask()).await.error(), (403, "AccessDenied"));
    let copied = world.ask(&world.root, ask()).await;
    let etag = copied.element("ETag").expect("an etag").replace("&quot;", "");
    let path = format!("/reports/big?uploadId={id}");
    let done = send(&world, &alice, Method::POST, &path, completion(&[(1, &etag)])).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(world.get(&world.root, "/reports/big").await.body, "234");
}

#[tokio::test]
async fn many_objects_are_deleted_each_by_its_own_permission() {
    let world = world().await;
    for key in ["a", "b", "keep"] {
        send(&world, &world.root, Method::PUT, &format!("/reports/{key}"), "x").await;
    }
    let alice = world.user("alice").await;
    let delete = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:DeleteObject","Resource":"*"},
        {"Effect":"Deny","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::reports/keep"}]}"#;
    let params = [("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", delete)];
    world.iam("PutUserPolicy", &params).await;
    let body = "<Delete><Object><Key>a</Key></Object><Object><Key>keep</Key></Object><Object><Key>absent</Key></Object>\
                </Delete>";
    let ask = |checksum: Option<&str>| Ask {
        headers: checksum
            .map(|value| ("x-amz-checksum-sha256", value.to_owned()))
            .into_iter()
            .collect(),
        body: body.as_bytes().to_vec(),
        ..Ask::s3(Method::POST, "/reports?delete")
    };
    assert_eq!(world.ask(&alice, ask(None)).await.error(), (400, "InvalidRequest"));
    assert_eq!(world.ask(&alice, ask(Some("AAAA"))).await.error(), (400, "BadDigest"));
    let digest = {
        use base64::{Engine, engine::general_purpose::STANDARD};
        STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, body.as_bytes()))
    };
    let reply = world.ask(&alice, ask(Some(&digest))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.contains("<Deleted><Key>a</Key></Deleted>"), "{}", reply.body);
    assert!(
        reply.body.contains("<Deleted><Key>absent</Key></Deleted>"),
        "{}",
        reply.body
    );
    assert!(
        reply.body.contains("<Error><Key>keep</Key><Code>AccessDenied</Code>"),
        "{}",
        reply.body
    );
    let listed = world.get(&world.root, "/reports?list-type=2").await;
    assert_eq!(listed.body.matches("<Key>").count(), 2);
}

#[rstest]
#[case("versioning", 200, "none")]
#[case("acl", 200, "none")]
#[case("encryption", 200, "none")]
#[case("tagging", 404, "NoSuchTagSet")]
#[case("cors", 404, "NoSuchCORSConfiguration")]
#[case("lifecycle", 404, "NoSuchLifecycleConfiguration")]
#[case("publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration")]
#[tokio::test]
async fn a_new_bucket_says_of_itself_what_s3_says(#[case] name: &str, #[case] status: u16, #[case] code: &str) {
    let world = world().await;
    let path = format!("/reports?{name}");
    assert_eq!(world.get(&world.root, &path).await.error(), (status, code));
    let alice = world.user("alice").await;
    assert_eq!(world.get(&alice, &path).await.error(), (403, "AccessDenied"));
}

#[tokio::test]
async fn tags_of_objects_are_kept_and_decide() {
    let world = world().await;
    let put = Ask {
        headers: vec![("x-amz-tagging", "team=red&note=a%20b".to_owned())],
        body: b"x".to_vec(),
        ..Ask::s3(Method::PUT, "/reports/a")
    };
    assert_eq!(world.ask(&world.root, put).await.status, 200);
    let shown = world.get(&world.root, "/reports/a?tagging").await;
    assert!(
        shown.body.contains("<Tag><Key>note</Key><Value>a b</Value></Tag>"),
        "{}",
        shown.body
    );
    assert_eq!(
        world.get(&world.root, "/reports/a").await.header("x-amz-tagging-count"),
        "2"
    );
    let alice = world.user("alice").await;
    let red = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*",
        "Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"red"}}}]}"#;
    let params = [("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", red)];
    world.iam("PutUserPolicy", &params).await;
    assert_eq!(world.get(&alice, "/reports/a").await.status, 200);
    let blue = "<Tagging><TagSet><Tag><Key>team</Key><Value>blue</Value></Tag></TagSet></Tagging>";
    let reply = send(&world, &world.root, Method::PUT, "/reports/a?tagging", blue).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(world.get(&alice, "/reports/a").await.status, 403);
}
