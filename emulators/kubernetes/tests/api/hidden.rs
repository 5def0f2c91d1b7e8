//! Pods that the API does not show to the proxy.

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use rolecall_kubernetes::User;
use serde_json::json;

use crate::{
    embedded::{Embedded, eventually, pod, refusal, running},
    world::patience,
};

async fn as_proxy(world: &Embedded) -> Api<Pod> {
    Api::namespaced(world.client(User::Proxy).await, "default")
}

async fn listed(pods: &Api<Pod>) -> Vec<String> {
    let list = pods.list(&ListParams::default()).await.expect("listed");
    list.iter().map(ResourceExt::name_any).collect()
}

/// The names and kinds of the next events, bookmarks left out.
async fn events(pods: &Api<Pod>, from: &str, count: usize) -> Vec<(&'static str, String, String)> {
    let params = WatchParams::default().timeout(60);
    let stream = pods.watch(&params, from).await.expect("a watch");
    pin_mut!(stream);
    let mut seen = Vec::new();
    let reading = async {
        while seen.len() < count {
            let (kind, pod) = match stream.next().await.expect("not over").expect("an event") {
                WatchEvent::Added(pod) => ("added", pod),
                WatchEvent::Modified(pod) => ("modified", pod),
                WatchEvent::Deleted(pod) => ("deleted", pod),
                WatchEvent::Bookmark(_) => continue,
                WatchEvent::Error(status) => panic!("{status:?}"),
            };
            seen.push((kind, pod.name_any(), pod.resource_version().unwrap_or_default()));
        }
    };
    tokio::time::timeout(patience(), reading).await.expect("in time");
    seen
}

#[tokio::test]
async fn a_pod_hidden_before_it_is_made_does_not_exist_for_the_proxy_and_runs_for_the_admin() {
    let Some(world) = Embedded::alone("hides no pod").await else {
        return;
    };
    world.cluster.hide("default", "secret");
    let (admin, proxy) = (world.pods().await, as_proxy(&world).await);
    for name in ["plain", "secret"] {
        admin
            .create(&PostParams::default(), &pod(name, json!({})))
            .await
            .expect("created");
        running(&admin, name).await;
    }
    assert_eq!(listed(&admin).await, ["plain", "secret"]);
    assert_eq!(listed(&proxy).await, ["plain"]);
    assert_eq!(
        refusal(proxy.get("secret").await),
        (404, "NotFound".to_owned(), "pods \"secret\" not found".to_owned())
    );
    let first = proxy.list(&ListParams::default().limit(1)).await.expect("listed");
    assert_eq!(
        first.metadata.remaining_item_count, None,
        "a page tells of nothing that is hidden"
    );
}

#[tokio::test]
async fn the_proxys_watch_sees_a_pod_go_when_it_is_hidden_and_come_when_it_is_shown() {
    let Some(world) = Embedded::alone("hides no pod").await else {
        return;
    };
    let (admin, proxy) = (world.pods().await, as_proxy(&world).await);
    admin
        .create(&PostParams::default(), &pod("a", json!({})))
        .await
        .expect("created");
    let before = running(&admin, "a").await;
    let from = before.resource_version().expect("a version");
    world.cluster.hide("default", "a");
    // Unseen, whatever happens to it.
    let patch = Patch::Merge(json!({"metadata": {"labels": {"seen": "no"}}}));
    admin
        .patch("a", &PatchParams::default(), &patch)
        .await
        .expect("patched");
    world.cluster.show("default", "a");
    world.cluster.show("default", "a");
    let patch = Patch::Merge(json!({"metadata": {"labels": {"seen": "yes"}}}));
    let last = admin
        .patch("a", &PatchParams::default(), &patch)
        .await
        .expect("patched");
    let seen = events(&proxy, &from, 3).await;
    let kinds: Vec<&str> = seen.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, ["deleted", "added", "modified"]);
    let versions: Vec<u64> = seen.iter().filter_map(|(.., version)| version.parse().ok()).collect();
    assert!(
        versions.is_sorted_by(|a, b| a < b),
        "a watch can be resumed from each event: {versions:?}"
    );
    assert_eq!(Some(&seen[2].2), last.resource_version().as_ref());
    // To the admin nothing has happened but the two patches.
    let seen = events(&admin, &from, 2).await;
    let kinds: Vec<&str> = seen.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, ["modified", "modified"]);
}

#[tokio::test]
async fn the_end_of_a_hidden_pod_is_not_told_and_its_successor_is_hidden_too() {
    let Some(world) = Embedded::alone("hides no pod").await else {
        return;
    };
    let (admin, proxy) = (world.pods().await, as_proxy(&world).await);
    world.cluster.hide("default", "again");
    let from = proxy.list(&ListParams::default()).await.expect("listed");
    let from = from.metadata.resource_version.expect("a version");
    for _ in 0..2 {
        admin
            .create(&PostParams::default(), &pod("again", json!({})))
            .await
            .expect("created");
        running(&admin, "again").await;
        let now = DeleteParams::default().grace_period(0);
        admin.delete("again", &now).await.expect("deleted");
        eventually("it is gone", async || {
            admin.get_opt("again").await.expect("answered").is_none().then_some(())
        })
        .await;
    }
    admin
        .create(&PostParams::default(), &pod("end", json!({})))
        .await
        .expect("created");
    let seen = events(&proxy, &from, 1).await;
    assert_eq!((seen[0].0, seen[0].1.as_str()), ("added", "end"));
}
