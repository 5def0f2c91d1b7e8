//! What kubectl asks for: tables, discovery of groups, and the check of fields.

use crate::{
    embedded::{eventually, pod, refusal, running},
    world::World,
};
use http::Request;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, api::PostParams, client::Body};
use rolecall_kubernetes::User;
use rstest::rstest;
use serde_json::{Value, json};

/// What kubectl sends.
const TABLE: &str =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

async fn get(client: &Client, path: &str, accept: &str) -> Value {
    let request = Request::get(path)
        .header("accept", accept)
        .body(Vec::new())
        .expect("a request");
    client.request(request).await.expect("answered")
}

fn names(table: &Value, columns: &str) -> Vec<String> {
    let list = table[columns].as_array().into_iter().flatten();
    list.map(|column| column["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn rows(table: &Value) -> Vec<Vec<Value>> {
    let rows = table["rows"].as_array().into_iter().flatten();
    rows.map(|row| row["cells"].as_array().cloned().unwrap_or_default())
        .collect()
}

#[rstest]
#[case("/api/v1/nodes", &["Name", "Status", "Roles", "Age", "Version"])]
#[case("/api/v1/namespaces", &["Name", "Status", "Age"])]
#[case("/api/v1/namespaces/default/serviceaccounts", &["Name", "Age"])]
#[case("/api/v1/pods", &["Name", "Ready", "Status", "Restarts", "Age"])]
#[case("/apis/apps/v1/daemonsets", &["Name", "Desired", "Current", "Ready", "Up-to-date", "Available", "Node Selector", "Age"])]
#[case("/apis/apps/v1/deployments", &["Name", "Ready", "Up-to-date", "Available", "Age"])]
#[tokio::test]
async fn a_list_as_a_table_has_kubectls_columns_and_a_cell_for_each(#[case] path: &str, #[case] expected: &[&str]) {
    let world = World::start().await;
    let client = world.client(User::Admin).await;
    world
        .pods()
        .await
        .create(&PostParams::default(), &pod("p", json!({})))
        .await
        .expect("created");
    for (plural, kind) in [("daemonsets", "DaemonSet"), ("deployments", "Deployment")] {
        let workload = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "w"}, "spec": {
            "selector": {"matchLabels": {"app": "w"}},
            "template": {
                "metadata": {"labels": {"app": "w"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        }});
        let request = Request::post(format!("/apis/apps/v1/namespaces/{}/{plural}", world.namespace));
        let request = request.body(workload.to_string().into_bytes()).expect("a request");
        client.request::<Value>(request).await.expect("created");
    }
    let table = get(&client, path, TABLE).await;
    assert_eq!(
        (table["kind"].as_str(), table["apiVersion"].as_str()),
        (Some("Table"), Some("meta.k8s.io/v1"))
    );
    let columns = table["columnDefinitions"].as_array().expect("columns");
    let narrow: Vec<&str> = columns
        .iter()
        .filter(|column| column["priority"] == 0)
        .filter_map(|column| column["name"].as_str())
        .collect();
    assert_eq!(narrow, expected);
    assert!(!rows(&table).is_empty());
    assert!(rows(&table).iter().all(|cells| cells.len() == columns.len()), "{table}");
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert!(
        table["metadata"]["resourceVersion"]
            .as_str()
            .is_some_and(|version| !version.is_empty())
    );
}

#[tokio::test]
async fn the_rows_say_what_the_objects_say() {
    let world = World::start().await;
    let client = world.client(User::Admin).await;
    let pods = world.pods().await;
    pods.create(&PostParams::default(), &pod("p", json!({})))
        .await
        .expect("created");
    running(&pods, "p").await;
    let table = get(
        &client,
        &format!("/api/v1/namespaces/{}/pods/p?includeObject=Object", world.namespace),
        TABLE,
    )
    .await;
    let cells = &rows(&table)[0];
    assert_eq!(cells[..4], [json!("p"), json!("1/1"), json!("Running"), json!("0")]);
    if world.embedded().is_some() {
        assert_eq!(cells[5..7], [json!("10.244.2.2"), json!("node-1")]);
    }
    assert_eq!(table["rows"][0]["object"]["kind"], "Pod");
    let table = get(&client, "/api/v1/nodes?includeObject=None", TABLE).await;
    if world.embedded().is_some() {
        let roles: Vec<Value> = rows(&table).into_iter().map(|cells| cells[2].clone()).collect();
        assert_eq!(roles, ["control-plane,master", "node", "node"]);
    }
    assert!(table["rows"][0]["object"].is_null());
}

#[tokio::test]
async fn who_does_not_ask_for_a_table_first_gets_none() {
    let world = World::start().await;
    let client = world.client(User::Proxy).await;
    let list = get(&client, "/api/v1/pods", &format!("application/json,{TABLE}")).await;
    assert_eq!(list["kind"], "PodList");
}

#[tokio::test]
async fn a_watch_as_a_table_says_its_columns_once() {
    let world = World::start().await;
    let client = world.client(User::Admin).await;
    for name in ["a", "b"] {
        world
            .pods()
            .await
            .create(&PostParams::default(), &pod(name, json!({})))
            .await
            .expect("created");
        running(&world.pods().await, name).await;
    }
    let path = format!(
        "/api/v1/namespaces/{}/pods?watch=1&timeoutSeconds=1&allowWatchBookmarks=true",
        world.namespace
    );
    let request = Request::get(path)
        .header("accept", TABLE)
        .body(Body::empty())
        .expect("a request");
    let answer = client.send(request).await.expect("answered");
    let body = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .expect("it ends")
        .to_bytes();
    let events: Vec<Value> = body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("JSON"))
        .collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    // A real server may send more than one at the end.
    assert_eq!(kinds[..3], ["ADDED", "ADDED", "BOOKMARK"]);
    assert!(kinds[3..].iter().all(|kind| *kind == "BOOKMARK"), "{kinds:?}");
    assert!(events.iter().all(|event| event["object"]["kind"] == "Table"));
    let columns: Vec<usize> = events
        .iter()
        .map(|event| names(&event["object"], "columnDefinitions").len())
        .collect();
    assert_eq!(columns[..3], [9, 0, 0]);
    assert_eq!(rows(&events[1]["object"])[0][0], "b");
    let version = &events[2]["object"]["rows"][0]["object"]["metadata"]["resourceVersion"];
    assert!(
        version.as_str().is_some_and(|version| !version.is_empty()),
        "{events:?}"
    );
}

#[tokio::test]
async fn the_group_apps_is_found_and_its_patches_know_field_validation() {
    let world = World::start().await;
    let client = world.client(User::Proxy).await;
    let groups = get(&client, "/apis", "application/json").await;
    let preferred: Vec<&str> = groups["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|group| group["preferredVersion"]["groupVersion"].as_str())
        .collect();
    for version in ["apps/v1", "authentication.k8s.io/v1"] {
        assert!(preferred.contains(&version), "{preferred:?}");
    }
    let resources = get(&client, "/apis/apps/v1", "application/json").await;
    assert_eq!(resources["groupVersion"], "apps/v1");
    let index = get(&client, "/openapi/v3", "application/json").await;
    let old = get(&client, "/openapi/v2", "application/json").await;
    assert_eq!(old["swagger"], "2.0");
    for (group, path) in [
        ("api/v1", "/api/v1/namespaces/{namespace}/pods/{name}"),
        ("apis/apps/v1", "/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}"),
    ] {
        let at = index["paths"][group]["serverRelativeURL"].as_str().expect("a place");
        let document = get(&client, at, "application/json").await;
        let parameters = document["paths"][path]["patch"]["parameters"].as_array();
        let named = |parameter: &Value| parameter["name"] == "fieldValidation";
        assert!(parameters.into_iter().flatten().any(named), "{path}");
    }
}

#[tokio::test]
async fn unknown_fields_are_refused_if_asked_warned_of_otherwise_and_dropped() {
    let world = World::start().await;
    let client = world.client(User::Admin).await;
    let wrong = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i"}], "hostnetwork": true}});
    let post = |query: &str| {
        let path = format!("/api/v1/namespaces/{}/pods{query}", world.namespace);
        Request::post(path)
            .body(wrong.to_string().into_bytes())
            .expect("a request")
    };
    let refused = refusal(client.request::<Value>(post("?fieldValidation=Strict")).await);
    let message =
        "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown field \"spec.hostnetwork\"";
    assert_eq!(refused, (400, "BadRequest".to_owned(), message.to_owned()));
    let answer = client.send(post("").map(Body::from)).await.expect("answered");
    assert_eq!(answer.status(), 201);
    assert_eq!(
        answer.headers()["warning"],
        "299 - \"unknown field \\\"spec.hostnetwork\\\"\""
    );
    let pods: Api<Pod> = world.pods().await;
    eventually("it runs", async || {
        (pods.get("p").await.ok()?.spec?.host_network.is_none()).then_some(())
    })
    .await;
}
