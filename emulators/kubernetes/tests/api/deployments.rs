//! So many pods, wherever they fit.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Namespace, Pod, ServiceAccount},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use rolecall_kubernetes::User;
use serde_json::{Value, json};

use crate::{
    embedded::{eventually, phase},
    world::World,
};

fn deployment(spec: Value, pod: Value) -> Deployment {
    let mut deployment = json!({"metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "main", "image": "example.com/web:1"}]},
        },
    }});
    for (path, more) in [("/spec", spec), ("/spec/template/spec", pod)] {
        if let (Some(Value::Object(into)), Value::Object(more)) = (deployment.pointer_mut(path), more) {
            into.extend(more);
        }
    }
    serde_json::from_value(deployment).expect("a Deployment")
}

async fn of(world: &World) -> (Api<Deployment>, Api<Pod>) {
    (
        Api::namespaced(world.client(User::Admin).await, &world.namespace),
        world.pods().await,
    )
}

/// The pods, once exactly so many are there and all run.
async fn running(pods: &Api<Pod>, count: usize, image: &str) -> Vec<Pod> {
    eventually(&format!("{count} of {image} run"), async || {
        let list = pods.list(&ListParams::default()).await.expect("listed").items;
        let good = |pod: &Pod| {
            phase(pod) == "Running"
                && pod.spec.as_ref().and_then(|s| s.containers[0].image.clone()).as_deref() == Some(image)
        };
        (list.len() == count && list.iter().all(good)).then_some(list)
    })
    .await
}

fn condition(deployment: &Deployment, kind: &str) -> Option<(String, String)> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    let found = conditions
        .iter()
        .find(|condition| condition.type_.as_deref() == Some(kind))?;
    Some((found.status.clone()?, found.message.clone().unwrap_or_default()))
}

#[tokio::test]
async fn a_deployment_has_as_many_pods_as_replicas() {
    let world = World::start().await;
    let (deployments, pods) = of(&world).await;
    let made = deployments
        .create(&PostParams::default(), &deployment(json!({}), json!({})))
        .await
        .expect("created");
    assert_eq!(made.spec.replicas, Some(1));
    let one = running(&pods, 1, "example.com/web:1").await;
    let hash = one[0].labels()["pod-template-hash"].clone();
    assert!(one[0].name_any().starts_with(&format!("web-{hash}-")));
    for replicas in [3, 2, 0] {
        let scale = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        deployments
            .patch("web", &PatchParams::default(), &scale)
            .await
            .expect("patched");
        running(&pods, replicas, "example.com/web:1").await;
    }
}

#[tokio::test]
async fn the_status_is_what_kubectl_waits_for() {
    let world = World::start().await;
    let (deployments, _) = of(&world).await;
    deployments
        .create(&PostParams::default(), &deployment(json!({"replicas": 2}), json!({})))
        .await
        .expect("created");
    let ready = eventually("it is available", async || {
        let found = deployments.get("web").await.ok()?;
        (condition(&found, "Available")?.0 == "True").then_some(found)
    })
    .await;
    let status = ready.status.clone().expect("a status");
    assert_eq!(
        (
            status.replicas,
            status.updated_replicas,
            status.available_replicas,
            status.unavailable_replicas
        ),
        (Some(2), Some(2), Some(2), None)
    );
    assert_eq!(status.observed_generation, ready.metadata.generation);
    assert_eq!(condition(&ready, "Progressing").map(|c| c.0).as_deref(), Some("True"));
}

#[tokio::test]
async fn a_changed_template_replaces_the_pods_but_not_before_the_new_ones_run() {
    let world = World::start().await;
    if world.embedded().is_none() {
        eprintln!("skipped: a real kubelet never gives up on an image");
        return;
    }
    let (deployments, pods) = of(&world).await;
    deployments
        .create(&PostParams::default(), &deployment(json!({"replicas": 2}), json!({})))
        .await
        .expect("created");
    running(&pods, 2, "example.com/web:1").await;
    let image = |image: &str| {
        Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}))
    };
    deployments
        .patch("web", &PatchParams::default(), &image("broken"))
        .await
        .expect("patched");
    eventually("the new ones have failed", async || {
        let list = pods.list(&ListParams::default()).await.expect("listed");
        (list.iter().filter(|pod| phase(pod) == "Failed").count() == 2).then_some(())
    })
    .await;
    let list = pods.list(&ListParams::default()).await.expect("listed");
    assert_eq!(
        list.iter().filter(|pod| phase(pod) == "Running").count(),
        2,
        "the old ones go on"
    );
    deployments
        .patch("web", &PatchParams::default(), &image("example.com/web:2"))
        .await
        .expect("patched");
    running(&pods, 2, "example.com/web:2").await;
}

#[tokio::test]
async fn a_pod_that_the_server_refuses_is_told_and_made_as_soon_as_it_can_be() {
    let world = World::start().await;
    let (deployments, pods) = of(&world).await;
    let asking = deployment(json!({}), json!({"serviceAccountName": "vault-auth"}));
    deployments
        .create(&PostParams::default(), &asking)
        .await
        .expect("created");
    let (status, message) = eventually("it is told", async || {
        condition(&deployments.get("web").await.expect("there"), "ReplicaFailure")
    })
    .await;
    assert_eq!(status, "True");
    assert!(message.contains("serviceaccount \"vault-auth\" not found"), "{message}");
    let accounts: Api<ServiceAccount> = Api::namespaced(world.client(User::Admin).await, &world.namespace);
    let account = serde_json::from_value(json!({"metadata": {"name": "vault-auth"}})).expect("an account");
    accounts
        .create(&PostParams::default(), &account)
        .await
        .expect("created");
    running(&pods, 1, "example.com/web:1").await;
    eventually("it is told no longer", async || {
        condition(&deployments.get("web").await.expect("there"), "ReplicaFailure")
            .is_none()
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn with_the_deployment_or_its_namespace_go_the_pods() {
    let world = World::start().await;
    let client = world.client(User::Admin).await;
    let (deployments, pods) = of(&world).await;
    deployments
        .create(&PostParams::default(), &deployment(json!({}), json!({})))
        .await
        .expect("created");
    running(&pods, 1, "example.com/web:1").await;
    let answer = deployments
        .delete("web", &DeleteParams::default())
        .await
        .expect("deleted");
    let status = answer.right().expect("a status, for it is gone at once");
    assert_eq!(
        status.details.map(|d| (d.kind, d.group)),
        Some(("deployments".to_owned(), "apps".to_owned()))
    );
    running(&pods, 0, "").await;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let team = &format!("{}-team", world.namespace);
    world.make_namespace(team).await;
    let (deployments, pods): (Api<Deployment>, Api<Pod>) =
        (Api::namespaced(client.clone(), team), Api::namespaced(client, team));
    deployments
        .create(&PostParams::default(), &deployment(json!({}), json!({})))
        .await
        .expect("created");
    running(&pods, 1, "example.com/web:1").await;
    namespaces
        .delete(team, &DeleteParams::default())
        .await
        .expect("deleted");
    eventually("the namespace is gone", async || {
        namespaces
            .get_opt(team)
            .await
            .expect("answered")
            .is_none()
            .then_some(())
    })
    .await;
    assert!(
        pods.list(&ListParams::default())
            .await
            .expect("listed")
            .items
            .is_empty()
    );
}
