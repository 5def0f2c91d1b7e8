//! Objects that are asked for while it is decided who may have them.

use std::time::Duration;

use aws_sigv4::http_request::SignableBody;
use http::Method;
use rolecall_aws::{Enforcement, Fault};
use rstest::rstest;

use crate::{
    localstack::Local,
    recorder::{Recorder, until},
    signer::Keys,
    world::Ask,
};

/// A front that knows bucket `bkt`, and how much its upstream was asked by then.
async fn that_knows_the_bucket() -> (Recorder, Local, usize) {
    let recorder = Recorder::start().await;
    let local = Local::over(&recorder.url(), Enforcement::On).await;
    recorder.belongs_to(&local.account);
    let reply = local.world.get(&local.world.root, "/bkt/other").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let count = recorder.count();
    (recorder, local, count)
}

#[tokio::test]
async fn an_object_is_asked_for_once_and_its_head_as_well() {
    let (recorder, local, count) = that_knows_the_bucket().await;
    let root = &local.world.root;
    let parts = recorder.answer_in_parts();
    parts.send("what it holds".into()).await.expect("somebody reads");
    drop(parts);
    let reply = local.world.get(root, "/bkt/parts").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "what it holds"));
    let head = local.world.ask(root, Ask::s3(Method::HEAD, "/bkt/object")).await;
    assert_eq!((head.status, head.header("content-length")), (200, "1234"));
    assert_eq!(recorder.count(), count + 2);
}

#[rstest]
#[case::whom_no_policy_lets_in(false, "AccessDenied")]
#[case::whose_signature_is_wrong(true, "SignatureDoesNotMatch")]
#[tokio::test]
async fn who_is_refused_waits_for_no_upstream_and_gets_nothing_of_its_answer(#[case] wrong: bool, #[case] code: &str) {
    let (recorder, local, _) = that_knows_the_bucket().await;
    let mut keys = local.partner.clone();
    if wrong {
        "wrong".clone_into(&mut keys.secret);
    }
    // Its end never comes.
    let parts = recorder.answer_in_parts();
    parts.send("what it holds".into()).await.expect("somebody reads");
    let reply = local.world.get(&keys, "/bkt/parts").await;
    assert_eq!(reply.error(), (403, code));
    assert!(!reply.body.contains("what it holds"), "{}", reply.body);
    // Nor is the next one given it.
    let reply = local.world.get(&local.world.root, "/bkt/other").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
}

#[tokio::test]
async fn an_object_is_on_its_way_while_policies_are_read_and_is_dropped_if_they_refuse() {
    let (recorder, local, _) = that_knows_the_bucket().await;
    let root = &local.world.root;
    let reply = local
        .world
        .query(root, "sts", "GetFederationToken", &[("Name", "federated")])
        .await;
    let keys = Keys {
        id: reply.element("AccessKeyId").expect("a key").to_owned(),
        secret: reply.element("SecretAccessKey").expect("its secret").to_owned(),
        token: reply.element("SessionToken").map(str::to_owned),
    };
    // What has changed is read again before it is decided by.
    local.world.iam("DeleteUser", &[("UserName", "somebody")]).await;
    let (parts, count) = (recorder.answer_in_parts(), recorder.count());
    let reply = local.world.get(&keys, "/bkt/parts").await;
    assert_eq!(reply.error(), (403, "AccessDenied"));
    let asked: Vec<_> = recorder.all().into_iter().skip(count).collect();
    let (first, rest) = asked.split_first().expect("it asked");
    assert!(
        first == "GET /bkt/parts" && rest.contains(&"POST /".to_owned()),
        "{asked:?}"
    );
    until("the object is dropped", || parts.is_closed()).await;
}

#[tokio::test]
async fn nothing_is_asked_for_a_key_that_is_not_known() {
    let (recorder, local, _) = that_knows_the_bucket().await;
    let asked = async |keys: Keys| {
        let before = recorder.connections();
        let refused = local.world.get(&keys, "/bkt/object").await;
        // The free connection is used by this, unless it was broken off.
        local.world.get(&local.world.root, "/bkt/other").await;
        (refused.error().1.to_owned(), recorder.connections() - before)
    };
    let unknown = Keys {
        id: "AKIANOBODY".to_owned(),
        ..local.world.root.clone()
    };
    assert_eq!(asked(unknown).await, ("InvalidAccessKeyId".to_owned(), 0));
    let wrong = Keys {
        secret: "wrong".to_owned(),
        ..local.world.root.clone()
    };
    assert_eq!(asked(wrong).await, ("SignatureDoesNotMatch".to_owned(), 1));
}

#[tokio::test]
async fn nothing_is_asked_before_a_fault_that_is_planned() {
    let (recorder, local, count) = that_knows_the_bucket().await;
    // It would reach the upstream while it is held up.
    let front = &local.world.front;
    front.inject("s3", Fault::Delay(Duration::from_millis(50)), None);
    front.inject("s3", Fault::Error("SlowDown".to_owned()), None);
    let reply = local.world.get(&local.world.root, "/bkt/object").await;
    assert_eq!(reply.error(), (503, "SlowDown"));
    assert_eq!(recorder.count(), count);
}

#[tokio::test]
async fn a_body_that_is_not_the_one_that_was_signed_is_refused_for_an_object_too() {
    let (_recorder, local, _) = that_knows_the_bucket().await;
    let ask = Ask {
        payload: Some(SignableBody::Bytes(b"another one")),
        ..Ask::s3(Method::GET, "/bkt/object")
    };
    let reply = local.world.ask(&local.world.root, ask).await;
    assert_eq!(reply.error(), (400, "XAmzContentSHA256Mismatch"));
}
