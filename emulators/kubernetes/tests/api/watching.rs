//! Watches, as kube-rs and raw clients see them.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    embedded::{Embedded, client_at, eventually, listen, phase, pod, running},
    world::{World, patience},
};
use futures::{StreamExt, TryStreamExt, pin_mut};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
    runtime::{WatchStreamExt, reflector, watcher},
};
use rolecall_accept::CancellationToken;
use rolecall_kubernetes::User;
use rstest::rstest;
use serde_json::json;

/// A reflector over `api` that runs by itself.
fn reflect(api: Api<Pod>, config: watcher::Config) -> reflector::Store<Pod> {
    let (reader, writer) = reflector::store();
    let stream = reflector::reflector(writer, watcher(api, config)).default_backoff();
    tokio::spawn(stream.for_each(async |_| {}));
    reader
}

fn names(store: &reflector::Store<Pod>) -> BTreeSet<String> {
    store.state().iter().map(|pod| pod.name_any()).collect()
}

async fn holds(store: &reflector::Store<Pod>, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
    eventually(&format!("the reflector holds {expected:?}"), async || {
        (names(store) == expected).then_some(())
    })
    .await;
}

/// Creates, changes and deletes a pod; the reflector of another client shows each.
async fn follows(pods: Api<Pod>, store: &reflector::Store<Pod>) {
    pods.create(&PostParams::default(), &pod("followed", json!({})))
        .await
        .expect("created");
    eventually("the reflector shows the address", async || {
        store
            .state()
            .iter()
            .any(|pod| phase(pod) == "Running" && !crate::embedded::address(pod).is_empty())
            .then_some(())
    })
    .await;
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"iam.amazonaws.com/role": "MyPodRole"}}}));
    pods.patch("followed", &PatchParams::default(), &patch)
        .await
        .expect("patched");
    eventually("the reflector shows the annotation", async || {
        let role = |pod: &Pod| pod.annotations().get("iam.amazonaws.com/role").cloned();
        store
            .state()
            .iter()
            .any(|pod| role(pod).as_deref() == Some("MyPodRole"))
            .then_some(())
    })
    .await;
    pods.delete("followed", &DeleteParams::default())
        .await
        .expect("deleted");
    holds(store, &[]).await;
}

#[rstest]
#[case::list_then_watch(watcher::Config::default())]
#[case::cached_lists(watcher::Config::default().any_semantic())]
#[case::pages_of_one(watcher::Config::default().page_size(1))]
#[case::streaming_list(watcher::Config::default().streaming_lists())]
#[tokio::test]
async fn a_reflector_follows_what_another_client_does(#[case] config: watcher::Config) {
    let world = World::start().await;
    let watched = Api::namespaced(world.client(User::Proxy).await, &world.namespace);
    let store = reflect(watched, config);
    tokio::time::timeout(patience(), store.wait_until_ready())
        .await
        .expect("in time")
        .expect("ready");
    follows(world.pods().await, &store).await;
}

#[tokio::test]
async fn a_streaming_list_begins_with_what_is_there() {
    let world = World::start().await;
    let pods = world.pods().await;
    for name in ["a", "b"] {
        pods.create(&PostParams::default(), &pod(name, json!({})))
            .await
            .expect("created");
    }
    let store = reflect(pods, watcher::Config::default().streaming_lists());
    tokio::time::timeout(patience(), store.wait_until_ready())
        .await
        .expect("in time")
        .expect("ready");
    assert_eq!(names(&store), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
}

#[tokio::test]
async fn a_watcher_that_has_missed_a_compacted_deletion_lists_again_and_forgets_the_pod() {
    let Some(world) = Embedded::alone("is not compacted or cut off on demand").await else {
        return;
    };
    let pods = world.pods().await;
    for name in ["stays", "goes"] {
        pods.create(&PostParams::default(), &pod(name, json!({})))
            .await
            .expect("created");
        running(&pods, name).await;
    }
    // The watcher's own way to the server, which can be cut.
    let cut = CancellationToken::new();
    let way = listen(&world.cluster, "127.0.0.1:0", cut.clone()).await;
    let watching = Api::namespaced(client_at(&world.cluster, way, User::Proxy).await, "default");
    let store = reflect(watching, watcher::Config::default());
    holds(&store, &["stays", "goes"]).await;
    cut.cancel();
    pods.delete("goes", &DeleteParams::default().grace_period(0))
        .await
        .expect("deleted");
    eventually("the pod is gone", async || {
        pods.get_opt("goes").await.expect("answered").is_none().then_some(())
    })
    .await;
    world.cluster.compact();
    let at = way.to_string();
    eventually("the port is free", async || {
        std::net::TcpListener::bind(way).ok().map(drop)
    })
    .await;
    listen(&world.cluster, &at, world.stop.clone()).await;
    holds(&store, &["stays"]).await;
}

#[tokio::test]
async fn a_watch_from_a_forgotten_version_is_one_error_410_in_a_good_answer() {
    let Some(world) = Embedded::alone("is not compacted or cut off on demand").await else {
        return;
    };
    let pods = world.pods().await;
    let old = pods
        .list(&ListParams::default())
        .await
        .expect("listed")
        .metadata
        .resource_version
        .expect("a version");
    pods.create(&PostParams::default(), &pod("later", json!({})))
        .await
        .expect("created");
    running(&pods, "later").await;
    world.cluster.compact();
    let events: Vec<_> = watch(&pods, &WatchParams::default(), &old).await;
    match events.as_slice() {
        [WatchEvent::Error(status)] => {
            assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
            assert!(
                status.message.starts_with("too old resource version"),
                "{}",
                status.message
            );
        }
        other => panic!("{other:?}"),
    }
}

/// All events of a watch that ends by itself.
async fn watch(pods: &Api<Pod>, params: &WatchParams, from: &str) -> Vec<WatchEvent<Pod>> {
    let watching = async { pods.watch(params, from).await?.try_collect().await };
    tokio::time::timeout(patience(), watching)
        .await
        .expect("the watch ends")
        .expect("a watch")
}

#[tokio::test]
async fn a_watch_ends_at_its_timeout_with_a_bookmark_of_the_current_version() {
    let world = World::start().await;
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod("a", json!({})))
        .await
        .expect("created");
    let made = running(&pods, "a").await;
    let events = watch(&pods, &WatchParams::default().timeout(1), "0").await;
    let [WatchEvent::Added(added), WatchEvent::Bookmark(bookmark), rest @ ..] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(added.name_any(), "a");
    // A real server may send more than one at the end.
    let more = |event: &WatchEvent<Pod>| matches!(event, WatchEvent::Bookmark(_));
    assert!(
        rest.iter().all(more) && (rest.is_empty() || world.embedded().is_none()),
        "{rest:?}"
    );
    let version = |text: &str| text.parse::<u64>().expect("a number");
    let written = version(&made.resource_version().expect("a version"));
    let told = version(&bookmark.metadata.resource_version);
    // On a real server others write meanwhile.
    assert!(
        told == written || (world.embedded().is_none() && told > written),
        "{told} {written}"
    );
    let silent = WatchParams::default().timeout(1).disable_bookmarks();
    let rest = watch(&pods, &silent, &bookmark.metadata.resource_version).await;
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn an_object_that_leaves_the_selection_is_deleted_to_its_watchers_and_added_when_it_enters() {
    let world = World::start().await;
    let pods = world.pods().await;
    let params = WatchParams::default().labels("tier in (front)").timeout(60);
    let stream = pods.watch(&params, "0").await.expect("a watch");
    pin_mut!(stream);
    let label = async |tier: &str| {
        let patch = Patch::Strategic(json!({"metadata": {"labels": {"tier": tier}}}));
        pods.patch("moving", &PatchParams::default(), &patch)
            .await
            .expect("patched");
    };
    pods.create(
        &PostParams::default(),
        &pod("moving", json!({"metadata": {"labels": {"tier": "back"}}})),
    )
    .await
    .expect("created");
    running(&pods, "moving").await;
    label("front").await;
    label("back").await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match stream.try_next().await.expect("events").expect("not over") {
            WatchEvent::Added(pod) => seen.push(("added", pod.labels()["tier"].clone(), pod.resource_version())),
            WatchEvent::Deleted(pod) => seen.push(("deleted", pod.labels()["tier"].clone(), pod.resource_version())),
            WatchEvent::Modified(pod) => panic!("{pod:?}"),
            _ => {}
        }
    }
    let now = pods.get("moving").await.expect("there").resource_version();
    assert_eq!((seen[0].0, seen[0].1.as_str()), ("added", "front"));
    // The last state inside the selection, under the version of the change that ended it.
    assert_eq!((seen[1].0, seen[1].1.as_str(), &seen[1].2), ("deleted", "front", &now));
}

#[tokio::test]
async fn a_watch_by_node_sees_the_pods_of_that_node_once_they_are_bound() {
    let Some(world) = Embedded::alone("has other nodes").await else {
        return;
    };
    let pods = world.pods().await;
    let store = reflect(
        Api::all(world.client(User::Proxy).await),
        watcher::Config::default().fields("spec.nodeName=node-2"),
    );
    pods.create(
        &PostParams::default(),
        &pod("here", json!({"spec": {"nodeName": "node-2"}})),
    )
    .await
    .expect("created");
    pods.create(&PostParams::default(), &pod("elsewhere", json!({})))
        .await
        .expect("created");
    let elsewhere = running(&pods, "elsewhere").await;
    assert_eq!(
        elsewhere.spec.and_then(|spec| spec.node_name).as_deref(),
        Some("node-1")
    );
    holds(&store, &["here"]).await;
    let listed = pods
        .list(&ListParams::default().fields("spec.nodeName!=node-2,status.phase=Running"))
        .await;
    let listed: Vec<String> = listed.expect("listed").iter().map(ResourceExt::name_any).collect();
    assert_eq!(listed, ["elsewhere"]);
}

#[tokio::test]
async fn dropped_watches_come_back_without_losing_anything() {
    let Some(world) = Embedded::alone("is not compacted or cut off on demand").await else {
        return;
    };
    let pods = world.pods().await;
    let store = reflect(Api::all(world.client(User::Proxy).await), watcher::Config::default());
    tokio::time::timeout(patience(), store.wait_until_ready())
        .await
        .expect("in time")
        .expect("ready");
    for name in ["a", "b", "c"] {
        world.cluster.drop_watches();
        pods.create(&PostParams::default(), &pod(name, json!({})))
            .await
            .expect("created");
    }
    holds(&store, &["a", "b", "c"]).await;
    let watches = world
        .cluster
        .requests()
        .into_iter()
        .filter(|request| request.verb == "watch")
        .count();
    assert!(watches >= 2, "{watches}");
}

#[tokio::test]
async fn an_open_watch_does_not_keep_a_server_from_ending() {
    let Some(world) = Embedded::alone("is not compacted or cut off on demand").await else {
        return;
    };
    let pods = world.pods().await;
    let stream = pods.watch(&WatchParams::default(), "0").await.expect("a watch");
    world.stop.cancel();
    let rest = tokio::time::timeout(Duration::from_millis(900), stream.collect::<Vec<_>>());
    assert!(rest.await.is_ok(), "the watch outlived its server");
}

#[tokio::test]
async fn pages_of_a_list_are_all_of_the_version_of_the_first() {
    let Some(world) = Embedded::alone("has other namespaces").await else {
        return;
    };
    let namespaces: Api<Namespace> = Api::all(world.client(User::Admin).await);
    let first = namespaces.list(&ListParams::default().limit(1)).await.expect("listed");
    let more: Namespace = serde_json::from_value(json!({"metadata": {"name": "later"}})).expect("a namespace");
    namespaces.create(&PostParams::default(), &more).await.expect("created");
    let token = first.metadata.continue_.clone().expect("more to come");
    let second = namespaces
        .list(&ListParams::default().limit(5).continue_token(&token))
        .await
        .expect("listed");
    let names: Vec<String> = first.iter().chain(second.iter()).map(ResourceExt::name_any).collect();
    assert_eq!(names, ["default", "kube-system"]);
    assert_eq!(first.metadata.remaining_item_count, Some(1));
    assert_eq!(second.metadata.resource_version, first.metadata.resource_version);
    world.cluster.compact();
    let late = namespaces.list(&ListParams::default().continue_token(&token)).await;
    assert_eq!(crate::embedded::refusal(late).0, 410);
}
