//! Faults that the proxy meets and nobody else.

use std::time::Duration;

use futures::TryStreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{ListParams, PostParams, WatchEvent, WatchParams},
};
use rolecall_kubernetes::{Fault, FaultRecord, User};
use serde_json::json;

use crate::{
    embedded::{Embedded, pod, refusal, running},
    world::patience,
};

fn broken() -> Fault {
    Fault::Error {
        status: http::StatusCode::INTERNAL_SERVER_ERROR,
        reason: None,
    }
}

async fn as_proxy(world: &Embedded) -> Api<Pod> {
    Api::namespaced(world.client(User::Proxy).await, "default")
}

/// All events of a watch that ends by itself.
async fn watch(pods: &Api<Pod>, from: &str) -> Vec<WatchEvent<Pod>> {
    let params = WatchParams::default().timeout(60);
    let watching = async { pods.watch(&params, from).await?.try_collect().await };
    let ended = tokio::time::timeout(patience(), watching).await;
    ended.expect("the watch ends").expect("a watch")
}

async fn version(pods: &Api<Pod>) -> String {
    let list = pods.list(&ListParams::default()).await.expect("listed");
    list.metadata.resource_version.expect("a version")
}

#[tokio::test]
async fn an_error_is_met_by_the_proxy_alone_and_as_often_as_planned() {
    let Some(world) = Embedded::alone("does not fail on demand").await else {
        return;
    };
    let (admin, proxy) = (world.pods().await, as_proxy(&world).await);
    world.cluster.inject(broken(), Some(2));
    admin.list(&ListParams::default()).await.expect("the admin is spared");
    for _ in 0..2 {
        let (code, reason, _) = refusal(proxy.list(&ListParams::default()).await);
        assert_eq!((code, reason.as_str()), (500, "InternalError"));
    }
    proxy.list(&ListParams::default()).await.expect("used up");
    let record = FaultRecord {
        fault: broken(),
        met: 2,
        left: Some(0),
    };
    assert_eq!(world.cluster.heal(), [record]);
    assert_eq!(world.cluster.heal(), []);
}

#[tokio::test]
async fn an_error_lasts_until_it_is_healed_and_may_have_a_reason_of_its_own() {
    let Some(world) = Embedded::alone("does not fail on demand").await else {
        return;
    };
    let proxy = as_proxy(&world).await;
    let fault = Fault::Error {
        status: http::StatusCode::INTERNAL_SERVER_ERROR,
        reason: Some("Odd".to_owned()),
    };
    world.cluster.inject(fault, None);
    for _ in 0..3 {
        let (code, reason, _) = refusal(proxy.get("none").await);
        assert_eq!((code, reason.as_str()), (500, "Odd"));
    }
    assert_eq!(world.cluster.heal()[0].met, 3);
    assert_eq!(refusal(proxy.get("none").await).0, 404);
}

#[tokio::test]
async fn a_delayed_request_is_answered_later() {
    let Some(world) = Embedded::alone("does not fail on demand").await else {
        return;
    };
    let (admin, proxy) = (world.pods().await, as_proxy(&world).await);
    world.cluster.inject(Fault::Delay(Duration::from_millis(300)), Some(1));
    let begun = rolecall_clock::monotonic();
    admin.list(&ListParams::default()).await.expect("listed");
    proxy.list(&ListParams::default()).await.expect("listed");
    assert!(rolecall_clock::since(begun) >= Duration::from_millis(300));
}

#[tokio::test]
async fn the_proxys_watches_are_dropped_open_or_new_and_the_admins_go_on() {
    let Some(world) = Embedded::alone("does not fail on demand").await else {
        return;
    };
    let (admin, proxy) = (world.pods().await, as_proxy(&world).await);
    let from = version(&proxy).await;
    let open = tokio::spawn({
        let (proxy, from) = (proxy.clone(), from.clone());
        async move { watch(&proxy, &from).await }
    });
    let kept = admin
        .watch(&WatchParams::default().timeout(60), &from)
        .await
        .expect("a watch");
    crate::embedded::eventually("the watch is open", async || {
        let requests = world.cluster.requests();
        requests
            .iter()
            .any(|r| r.verb == "watch" && r.user == "rolecall-proxy")
            .then_some(())
    })
    .await;
    world.cluster.inject(Fault::DropWatch, Some(2));
    assert!(open.await.expect("ended").is_empty());
    admin
        .create(&PostParams::default(), &pod("a", json!({})))
        .await
        .expect("created");
    running(&admin, "a").await;
    let told = watch(&proxy, &from).await;
    assert!(
        matches!(told.first(), Some(WatchEvent::Added(_))),
        "what was there is told first: {told:?}"
    );
    futures::pin_mut!(kept);
    assert!(matches!(kept.try_next().await, Ok(Some(WatchEvent::Added(_)))));
    let records = world.cluster.heal();
    assert_eq!((records[0].met, records[0].left), (2, Some(0)));
}

#[tokio::test]
async fn a_version_that_is_gone_is_an_in_stream_410_even_if_it_is_current() {
    let Some(world) = Embedded::alone("does not fail on demand").await else {
        return;
    };
    let proxy = as_proxy(&world).await;
    let from = version(&proxy).await;
    world.cluster.inject(Fault::Gone, Some(1));
    let told = watch(&proxy, &version(&proxy).await).await;
    match told.as_slice() {
        [WatchEvent::Error(status)] => assert_eq!((status.code, status.reason.as_str()), (410, "Expired")),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.cluster.heal()[0].met, 1);
    // The history is forgotten for good, if anything came after.
    world
        .pods()
        .await
        .create(&PostParams::default(), &pod("a", json!({})))
        .await
        .expect("created");
    running(&world.pods().await, "a").await;
    world.cluster.inject(Fault::Gone, Some(0));
    assert!(matches!(watch(&proxy, &from).await.as_slice(), [WatchEvent::Error(_)]));
}
