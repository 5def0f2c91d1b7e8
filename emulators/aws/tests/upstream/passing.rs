use http::Method;
use rolecall_aws::Enforcement;
use rstest::rstest;

use crate::{
    localstack::{Local, local},
    recorder::Recorder,
    signer::Keys,
    world::{Ask, query},
};

async fn both() -> (Recorder, Local) {
    let recorder = Recorder::start().await;
    let local = Local::over(&recorder.url(), Enforcement::On).await;
    recorder.belongs_to(&local.account);
    (recorder, local)
}

#[tokio::test]
async fn root_is_passed_on_as_the_number_of_its_account_and_nothing_that_it_signed_with() {
    let (recorder, local) = both().await;
    let ask = Ask {
        headers: vec![
            ("x-amz-meta-a", "1".to_owned()),
            ("x-moto-account-id", "222222222222".to_owned()),
            ("x-localstack-edge", "x".to_owned()),
            ("x-forwarded-for", "10.0.0.1".to_owned()),
        ],
        body: b"hello".to_vec(),
        ..Ask::s3(Method::PUT, "/bkt/dir/a%20b%2B?x-id=PutObject")
    };
    let reply = local.world.ask(&local.world.root, ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let put = recorder.last(&Method::PUT, "/bkt/dir/a%20b%2B").expect("it passed");
    assert_eq!(
        (put.path.as_str(), &put.body[..]),
        ("/bkt/dir/a%20b%2B?x-id=PutObject", &b"hello"[..])
    );
    let text = format!("{:?}", put.headers);
    assert!(text.contains(&format!("Credential={}/", local.account)), "{text}");
    for absent in ["AKIAROOT", "x-moto", "x-localstack", "x-forwarded"] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
    assert_eq!(
        put.headers.get("host").map(|host| host.to_str().ok()),
        Some(Some(recorder.address.to_string().as_str()))
    );
    assert!(put.headers.contains_key("x-amz-meta-a"));
}

#[tokio::test]
async fn the_answer_has_the_fronts_id_and_not_the_upstreams_name() {
    let (_recorder, local) = both().await;
    let reply = local.world.get(&local.world.root, "/bkt/absent").await;
    assert_eq!(reply.error(), (404, "NoSuchKey"));
    let id = reply.header("x-amz-request-id").to_owned();
    assert_eq!(reply.element("RequestId"), Some(id.as_str()));
    assert!(local.world.front.decision(&id).is_some(), "{id}");
    assert_eq!((reply.header("server"), reply.header("x-localstack")), ("Rolecall", ""));
    let entry = local.world.front.journal().pop().expect("an entry");
    assert_eq!(
        (entry.operation.as_str(), entry.answer.as_str(), entry.status),
        ("GetObject", "NoSuchKey", 404)
    );
}

#[tokio::test]
async fn head_tells_the_length_and_has_no_body() {
    let (_recorder, local) = both().await;
    let reply = local
        .world
        .ask(&local.world.root, Ask::s3(Method::HEAD, "/bkt/object"))
        .await;
    let told = (
        reply.status,
        reply.header("content-length"),
        reply.header("etag"),
        reply.body.as_str(),
    );
    assert_eq!(told, (200, "1234", "\"e\"", ""));
    let absent = local
        .world
        .ask(&local.world.root, Ask::s3(Method::HEAD, "/bkt/absent"))
        .await;
    assert_eq!((absent.status, absent.body.as_str()), (404, ""));
}

#[rstest]
#[case::of_another_account(false)]
#[case::without_a_good_key(true)]
#[tokio::test]
async fn a_change_that_is_refused_never_reaches_the_upstream(#[case] wrong: bool) {
    let (recorder, local) = both().await;
    let mut keys = local.partner.clone();
    if wrong {
        "wrong".clone_into(&mut keys.secret);
    }
    let reply = local.world.ask(&keys, Ask::s3(Method::DELETE, "/bkt/object")).await;
    assert_eq!(reply.status, 403, "{}", reply.body);
    assert!(recorder.last(&Method::DELETE, "/bkt/object").is_none());
    if wrong {
        assert_eq!(recorder.count(), 0, "nobody without a key makes the front ask");
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_told_as_unavailable() {
    let local = Local::over("http://127.0.0.1:9", Enforcement::On).await;
    let reply = local.world.get(&local.world.root, "/bkt/object").await;
    assert_eq!(reply.error(), (503, "ServiceUnavailable"));
    assert!(reply.body.contains("http://127.0.0.1:9"), "{}", reply.body);
    let reply = local.world.ask(&local.world.root, query("iam", "ListUsers", &[])).await;
    assert_eq!(reply.error(), (503, "ServiceUnavailable"));
    assert!(local.world.front.instance_credentials("nodes", "i-1").await.is_err());
}

#[tokio::test]
async fn the_upstreams_own_paths_are_closed_and_are_never_asked() {
    let (recorder, local) = both().await;
    for path in [
        "/_localstack/health",
        "/_aws/ses",
        "/%5flocalstack/x",
        "/v20180820/x",
        "/bkt%2f..%2f_localstack/x",
    ] {
        let reply = local.world.get(&local.world.root, path).await;
        assert_eq!(reply.error(), (404, "NoSuchBucket"), "{path}");
    }
    // An empty name of a bucket is none: this is the list of buckets.
    let reply = local.world.get(&local.world.root, "//_localstack/health").await;
    assert!(
        reply.status == 501 || reply.body.contains("ListAllMyBucketsResult"),
        "{}",
        reply.body
    );
    assert!(recorder.last(&Method::GET, "//_localstack/health").is_none());
    assert!(recorder.last(&Method::GET, "/_localstack/health").is_none());
}

#[tokio::test]
async fn a_request_whose_signature_is_wrong_is_recorded_as_what_it_asked_for() {
    let (_recorder, local) = both().await;
    let wrong = Keys {
        secret: "wrong".to_owned(),
        ..local.world.root.clone()
    };
    let reply = local.world.get(&wrong, "/bkt/key").await;
    assert_eq!(reply.error(), (403, "SignatureDoesNotMatch"));
    let entry = local.world.front.journal().pop().expect("an entry");
    assert_eq!((entry.service.as_str(), entry.operation.as_str()), ("s3", "GetObject"));
}

#[tokio::test]
async fn a_users_keys_go_on_under_its_new_name() {
    let Some(local) = local().await else { return };
    let world = &local.world;
    let alice = world.user("alice").await;
    let arn = |name: &str| format!("arn:aws:iam::{}:user/{name}", local.account);
    let who = || world.query(&alice, "sts", "GetCallerIdentity", &[]);
    assert_eq!(who().await.element("Arn"), Some(arn("alice").as_str()));
    world
        .iam("UpdateUser", &[("UserName", "alice"), ("NewUserName", "carol")])
        .await;
    assert_eq!(who().await.element("Arn"), Some(arn("carol").as_str()));
    let last = world.front.journal().pop().expect("an entry");
    assert_eq!(last.caller.map(|caller| caller.arn), Some(arn("carol")));
    world
        .iam("UpdateUser", &[("UserName", "carol"), ("NewUserName", "alice")])
        .await;
    local.end().await;
}
