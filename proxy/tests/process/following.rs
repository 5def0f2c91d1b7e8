//! What the API server says counts, at once and after every interruption.

use serde_json::json;

use crate::world::World;

const LISTING: &str = "/latest/meta-data/iam/security-credentials/";

#[tokio::test]
async fn a_pod_is_answered_from_its_first_moment_and_forgotten_with_its_last() {
    let mut world = World::new(21, &[]).await;
    let address = world.pod("app", json!({ "iam.amazonaws.com/role": "MyPodRole" })).await;
    // No waiting here: the address is new, and the request waits for the watch by itself.
    let answer = world.get(&address, LISTING).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "MyPodRole"));
    world.delete_pod("app").await;
    world
        .until("the pod is forgotten", async |world| {
            world.get(&address, LISTING).await.status == 404
        })
        .await;
    let (status, log) = world.terminate().await;
    assert!(status.success(), "{log}");
    assert!(log.contains("no pod has the address"), "{log}");
}

#[tokio::test]
async fn a_new_annotation_reaches_the_proxy() {
    let world = World::new(22, &[]).await;
    let address = world.pod("app", json!({ "iam.amazonaws.com/role": "MyPodRole" })).await;
    assert_eq!(world.get(&address, LISTING).await.body, "MyPodRole");
    world
        .annotate_pod("app", json!({ "iam.amazonaws.com/role": "Other" }))
        .await;
    world
        .until("the new role is listed", async |world| {
            world.get(&address, LISTING).await.body == "Other"
        })
        .await;
}

#[tokio::test]
async fn a_watch_that_drops_or_is_told_gone_goes_on() {
    let world = World::new(23, &[]).await;
    let first = world.pod("first", json!({ "iam.amazonaws.com/role": "First" })).await;
    assert_eq!(world.get(&first, LISTING).await.body, "First");
    world.cluster.drop_watches();
    world
        .annotate_pod("first", json!({ "iam.amazonaws.com/role": "Second" }))
        .await;
    world
        .until("a dropped watch goes on", async |world| {
            world.get(&first, LISTING).await.body == "Second"
        })
        .await;
    world.delete_pod("first").await;
    world.cluster.compact();
    world.cluster.drop_watches();
    let second = world.pod("second", json!({ "iam.amazonaws.com/role": "Third" })).await;
    world
        .until("a new list is made", async |world| {
            world.get(&second, LISTING).await.body == "Third"
        })
        .await;
    world
        .until("what it lacks is gone", async |world| {
            world.get(&first, LISTING).await.status == 404
        })
        .await;
}

#[tokio::test]
async fn a_namespaces_list_counts_as_soon_as_it_is_there() {
    let world = World::new(24, &["--namespace-restrictions=true"]).await;
    let address = world.pod("app", json!({ "iam.amazonaws.com/role": "MyPodRole" })).await;
    assert_eq!(world.get(&address, LISTING).await.status, 403);
    world
        .annotate_namespace(json!({ "iam.amazonaws.com/allowed-roles": "[\"My*\"]" }))
        .await;
    world
        .until("the list counts", async |world| {
            world.get(&address, LISTING).await.status == 200
        })
        .await;
    assert_eq!(world.admin("GET", "/healthz").await.status, 200);
    let metrics = world.admin("GET", "/metrics").await.body;
    assert!(
        metrics.contains(r#"rolecall_denials_total{reason="namespace"}"#),
        "{metrics}"
    );
    assert!(metrics.contains("rolecall_pods 1"), "{metrics}");
}

#[tokio::test]
async fn a_namespaces_list_that_does_nothing_is_counted_and_warned_of() {
    let mut world = World::new(25, &[]).await;
    let list = json!({ "iam.amazonaws.com/allowed-roles": "[\"Other\"]" });
    world.annotate_namespace(list).await;
    world
        .until("it is counted", async |world| {
            let metrics = world.admin("GET", "/metrics").await.body;
            metrics.contains("rolecall_namespace_restriction_ineffective 1")
        })
        .await;
    let address = world.pod("app", json!({ "iam.amazonaws.com/role": "MyPodRole" })).await;
    assert_eq!(world.get(&address, LISTING).await.status, 200);
    let (_, log) = world.terminate().await;
    assert_eq!(log.matches("that has no effect").count(), 1, "{log}");
}

#[tokio::test]
async fn expressions_are_matched_whole() {
    let world = World::new(
        26,
        &["--namespace-restrictions", "--namespace-restriction-format=regexp"],
    )
    .await;
    let list = json!({ "iam.amazonaws.com/allowed-roles": r#"["^arn:aws:iam::123456789012:role/my-role","team-.*"]"# });
    world.annotate_namespace(list).await;
    for (name, role, status) in [
        ("a", "my-role", 200),
        ("b", "my-role-admin", 403),
        ("c", "team-a", 200),
        ("d", "arn:aws:iam::999999999999:role/team-a", 403),
    ] {
        let address = world.pod(name, json!({ "iam.amazonaws.com/role": role })).await;
        world
            .until("the list counts", async |world| {
                world.get(&address, LISTING).await.status == status
            })
            .await;
    }
    let metrics = world.admin("GET", "/metrics").await.body;
    assert!(
        metrics.contains("rolecall_namespace_restriction_ineffective 0"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_pod_that_holds_all_the_connections_it_can_keeps_nobody_else_from_asking() {
    let world = World::new(27, &[]).await;
    let greedy = world
        .pod("greedy", json!({ "iam.amazonaws.com/role": "MyPodRole" }))
        .await;
    let other = world
        .pod("other", json!({ "iam.amazonaws.com/role": "MyPodRole" }))
        .await;
    let mut held = Vec::new();
    while let Some(stream) = world.hold(&greedy, LISTING).await {
        held.push(stream);
        assert!(held.len() < 1000, "no end");
    }
    assert_eq!(held.len(), 128);
    assert_eq!(world.get(&other, LISTING).await.status, 200);
}
