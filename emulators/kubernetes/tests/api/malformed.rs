//! Manifests that are wrong, and what a real server says of them.

use http::Request;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, Client, ResourceExt, api::ListParams};
use rolecall_kubernetes::User;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    embedded::{Embedded, refusal},
    world::World,
};

async fn send(client: &Client, method: &str, path: &str, body: &str) -> Result<Value, (u16, String, String)> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    let request = request.body(body.as_bytes().to_vec()).expect("a request");
    match client.request::<Value>(request).await {
        Ok(answer) => Ok(answer),
        error => Err(refusal(error)),
    }
}

async fn post(path: &str, body: &str) -> (u16, String, String) {
    let world = World::start().await;
    let client = world.client(User::Admin).await;
    send(&client, "POST", path, body).await.expect_err("refused")
}

const PODS: &str = "/api/v1/namespaces/default/pods";
const SETS: &str = "/apis/apps/v1/namespaces/default/daemonsets";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

/// A workload named `x` whose labels and selector agree, changed at one place.
fn workload(pointer: &str, value: Value) -> Value {
    let mut object = json!({"metadata": {"name": "x"}, "spec": {
        "selector": {"matchLabels": {"name": "x"}},
        "template": {
            "metadata": {"labels": {"name": "x"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        },
    }});
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    let place = object
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .expect("a parent");
    match value {
        Value::Null => place.shift_remove(last),
        value => place.insert(last.to_owned(), value),
    };
    object
}

#[rstest]
#[case::deployment_without_selector(
    DEPLOYMENTS,
    "/spec/selector",
    Value::Null,
    "Deployment.apps \"x\" is invalid: [spec.selector: Required value, spec.template.metadata.labels: Invalid value: {\"name\":\"x\"}: `selector` does not match template `labels`]"
)]
#[case::daemon_set_without_selector(
    SETS,
    "/spec/selector",
    Value::Null,
    "DaemonSet.apps \"x\" is invalid: spec.template.metadata.labels: Invalid value: {\"name\":\"x\"}: `selector` does not match template `labels`"
)]
#[case::selector_of_another(SETS, "/spec/selector/matchLabels/name", json!("y"),
    "DaemonSet.apps \"x\" is invalid: spec.template.metadata.labels: Invalid value: {\"name\":\"x\"}: `selector` does not match template `labels`")]
#[case::no_labels(
    SETS,
    "/spec/template/metadata",
    Value::Null,
    "DaemonSet.apps \"x\" is invalid: spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"
)]
#[case::empty_selector(DEPLOYMENTS, "/spec/selector", json!({}),
    "Deployment.apps \"x\" is invalid: spec.selector: Invalid value: {}: empty selector is invalid for deployment")]
#[case::unknown_operator(SETS, "/spec/selector/matchExpressions", json!([{"key": "name", "operator": "Is"}]),
    "DaemonSet.apps \"x\" is invalid: spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator")]
#[case::no_containers(SETS, "/spec/template/spec/containers", json!([]),
    "DaemonSet.apps \"x\" is invalid: spec.template.spec.containers: Required value")]
#[case::no_image(DEPLOYMENTS, "/spec/template/spec/containers", json!([{"name": "c"}]),
    "Deployment.apps \"x\" is invalid: spec.template.spec.containers[0].image: Required value")]
#[case::restart_policy(SETS, "/spec/template/spec/restartPolicy", json!("Never"),
    "DaemonSet.apps \"x\" is invalid: spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"")]
#[case::negative(DEPLOYMENTS, "/spec/replicas", json!(-1),
    "Deployment.apps \"x\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0")]
#[case::template_label(SETS, "/spec/template/metadata/labels/bad", json!("no way"),
    "DaemonSet.apps \"x\" is invalid: spec.template.labels: Invalid value: \"no way\": a valid label must be an empty string or consist of")]
#[case::label_key(DEPLOYMENTS, "/metadata/labels", json!({"-x": "y"}),
    "Deployment.apps \"x\" is invalid: metadata.labels: Invalid value: \"-x\": name part must consist of alphanumeric characters")]
#[case::no_name(
    DEPLOYMENTS,
    "/metadata/name",
    Value::Null,
    "Deployment.apps \"\" is invalid: metadata.name: Required value: name or generateName is required"
)]
#[case::name(SETS, "/metadata/name", json!("Kube2iam"),
    "DaemonSet.apps \"Kube2iam\" is invalid: metadata.name: Invalid value: \"Kube2iam\": a lowercase RFC 1123 subdomain must consist of")]
#[tokio::test]
async fn a_workload_that_cannot_be_is_refused_in_the_servers_words(
    #[case] path: &str,
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let (code, reason, message) = post(path, &workload(pointer, value).to_string()).await;
    assert_eq!((code, reason.as_str()), (422, "Invalid"));
    assert!(message.starts_with(expected), "{message}");
}

#[rstest]
#[case::no_name(
    PODS,
    r#"{"spec": {"containers": [{"name": "c", "image": "i"}]}}"#,
    422,
    "Pod \"\" is invalid: metadata.name: Required value: name or generateName is required"
)]
#[case::not_json(
    PODS,
    "{",
    400,
    "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: "
)]
#[case::unknown_kind(
    PODS,
    r#"{"apiVersion": "v1", "kind": "Pood"}"#,
    400,
    "Pood in version \"v1\" cannot be handled as a Pod: no kind \"Pood\" is registered for version \"v1\" in scheme"
)]
#[case::other_kind(
    DEPLOYMENTS,
    r#"{"apiVersion": "apps/v1", "kind": "DaemonSet"}"#,
    400,
    "DaemonSet in version \"v1\" cannot be handled as a Deployment: converting (v1.DaemonSet) to (apps.Deployment): unknown conversion"
)]
#[case::old_version(
    DEPLOYMENTS,
    r#"{"apiVersion": "extensions/v1beta1", "kind": "Deployment"}"#,
    400,
    "the API version in the data (extensions/v1beta1) does not match the expected API version (apps/v1)"
)]
#[case::number_as_text(
    DEPLOYMENTS,
    r#"{"metadata": {"name": "x"}, "spec": {"replicas": "two"}}"#,
    400,
    "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
)]
#[case::label_as_number(
    PODS,
    r#"{"metadata": {"name": "x", "labels": {"a": 1}}, "spec": {"containers": 2}}"#,
    400,
    "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"
)]
#[case::labels_as_list(
    SETS,
    r#"{"metadata": {"name": "x", "labels": ["a"]}}"#,
    400,
    "DaemonSet in version \"v1\" cannot be handled as a DaemonSet: json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string"
)]
#[case::env_as_number(
    SETS,
    r#"{"spec": {"template": {"spec": {"containers": [{"name": "c"}, {"env": [{"name": "N", "value": 1}]}]}}}}"#,
    400,
    "DaemonSet in version \"v1\" cannot be handled as a DaemonSet: json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string"
)]
#[case::containers_as_object(
    PODS,
    r#"{"spec": {"containers": {"name": "c"}}}"#,
    400,
    "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"
)]
#[case::flag_as_text(
    PODS,
    r#"{"spec": {"hostNetwork": "true"}}"#,
    400,
    "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"
)]
#[case::spec_as_text(
    PODS,
    r#"{"spec": "x"}"#,
    400,
    "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec"
)]
#[case::old_path(
    "/apis/extensions/v1beta1/namespaces/default/daemonsets",
    "{}",
    404,
    "404 page not found"
)]
#[case::unknown_type(
    "/apis/apps/v1/namespaces/default/frobs",
    "{}",
    404,
    "the server could not find the requested resource"
)]
#[tokio::test]
async fn a_body_that_is_no_such_object_is_refused(
    #[case] path: &str,
    #[case] body: &str,
    #[case] code: u16,
    #[case] expected: &str,
) {
    let (refused, _, message) = post(path, body).await;
    assert_eq!(refused, code);
    assert!(message.starts_with(expected), "{message}");
}

#[tokio::test]
async fn the_selector_of_a_workload_can_not_be_changed() {
    let world = World::start().await;
    let client = world.client(User::Admin).await;
    let first = workload("/spec/minReadySeconds", json!(0));
    let sets = SETS.replace("default", &world.namespace);
    send(&client, "POST", &sets, &first.to_string()).await.expect("created");
    let mut other = first.clone();
    other["spec"]["selector"]["matchLabels"] = json!({"name": "y"});
    other["spec"]["template"]["metadata"]["labels"] = json!({"name": "y"});
    let refused = send(&client, "PUT", &format!("{sets}/x"), &other.to_string()).await;
    let message = "DaemonSet.apps \"x\" is invalid: spec.selector: Invalid value: {\"matchLabels\":{\"name\":\"y\"}}: field is immutable";
    assert_eq!(refused, Err((422, "Invalid".to_owned(), message.to_owned())));
    send(&client, "PUT", &format!("{sets}/x"), &first.to_string())
        .await
        .expect("unchanged");
}

#[rstest]
#[case("kubernetes.io/role==node", &["node-1", "node-2"])]
#[case("kubernetes.io/role==master", &["master-1"])]
#[case("node-role.kubernetes.io/control-plane", &["master-1"])]
#[case("node-role.kubernetes.io/node", &["node-1", "node-2"])]
#[case("kubernetes.io/hostname=node-2,topology.kubernetes.io/region=us-east-1", &["node-2"])]
#[tokio::test]
async fn nodes_are_found_as_the_chapter_finds_them(#[case] selector: &str, #[case] expected: &[&str]) {
    let Some(world) = Embedded::alone("has other nodes").await else {
        return;
    };
    let nodes: Api<Node> = Api::all(world.client(User::Proxy).await);
    let list = nodes
        .list(&ListParams::default().labels(selector))
        .await
        .expect("listed");
    let names: Vec<String> = list.iter().map(ResourceExt::name_any).collect();
    assert_eq!(names, expected);
    for node in list {
        let spec = node.spec.expect("a spec");
        let instance = spec.external_id.expect("an external id");
        assert!(instance.starts_with("i-"), "{instance}");
        assert_eq!(spec.provider_id, Some(format!("aws:///us-east-1a/{instance}")));
    }
}
