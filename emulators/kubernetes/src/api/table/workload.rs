use serde_json::{Value, json};

use super::columns::or;
use crate::store::object::{items, text};

/// The cells of a DaemonSet.
pub(super) fn daemon_set(set: &Value, name: &str, age: String) -> Value {
    let [containers, images, selector] = wide(set);
    json!([
        name,
        number(set, "/status/desiredNumberScheduled"),
        number(set, "/status/currentNumberScheduled"),
        number(set, "/status/numberReady"),
        number(set, "/status/updatedNumberScheduled"),
        number(set, "/status/numberAvailable"),
        or(
            &pairs(&set["spec"]["template"]["spec"]["nodeSelector"]).join(","),
            "<none>"
        ),
        age,
        containers,
        images,
        selector,
    ])
}

/// The cells of a Deployment.
pub(super) fn deployment(deployment: &Value, name: &str, age: String) -> Value {
    let [containers, images, selector] = wide(deployment);
    let ready = number(deployment, "/status/readyReplicas");
    json!([
        name,
        format!("{ready}/{}", number(deployment, "/spec/replicas")),
        number(deployment, "/status/updatedReplicas"),
        number(deployment, "/status/availableReplicas"),
        age,
        containers,
        images,
        selector,
    ])
}

fn number(workload: &Value, pointer: &str) -> i64 {
    workload.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

/// What only `-o wide` shows.
fn wide(workload: &Value) -> [String; 3] {
    let containers = items(workload, "/spec/template/spec/containers");
    let all = |pointer| {
        let texts: Vec<&str> = containers.iter().map(|container| text(container, pointer)).collect();
        texts.join(",")
    };
    [all("/name"), all("/image"), selector(&workload["spec"]["selector"])]
}

fn selector(selector: &Value) -> String {
    let mut parts = pairs(&selector["matchLabels"]);
    for expression in items(selector, "/matchExpressions") {
        let key = text(expression, "/key");
        let values = items(expression, "/values").iter().filter_map(Value::as_str);
        let values = values.collect::<Vec<_>>().join(",");
        parts.push(match text(expression, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    or(&parts.join(","), "<none>")
}

fn pairs(map: &Value) -> Vec<String> {
    let pairs = map.as_object().into_iter().flatten();
    let mut pairs: Vec<String> = pairs
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort();
    pairs
}
