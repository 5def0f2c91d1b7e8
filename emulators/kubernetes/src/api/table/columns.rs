use jiff::Timestamp;
use serde_json::{Value, json};

use super::{age, pod, workload};
use crate::store::{
    Resource,
    object::{items, text},
};

/// A column: its name, its type, and whether only `-o wide` shows it.
type Column = (&'static str, &'static str, bool);

const NAME: Column = ("Name", "string", false);
const AGE: Column = ("Age", "string", false);

fn columns(resource: Resource) -> Vec<Column> {
    let text = |name| (name, "string", false);
    let number = |name| (name, "integer", false);
    let wide = |name| (name, "string", true);
    match resource {
        Resource::Namespaces => vec![NAME, text("Status"), AGE],
        Resource::ServiceAccounts => vec![NAME, AGE],
        Resource::Nodes => vec![
            NAME,
            text("Status"),
            text("Roles"),
            AGE,
            text("Version"),
            wide("Internal-IP"),
            wide("External-IP"),
            wide("OS-Image"),
            wide("Kernel-Version"),
            wide("Container-Runtime"),
        ],
        Resource::Pods => vec![
            NAME,
            text("Ready"),
            text("Status"),
            text("Restarts"),
            AGE,
            wide("IP"),
            wide("Node"),
            wide("Nominated Node"),
            wide("Readiness Gates"),
        ],
        Resource::DaemonSets => vec![
            NAME,
            number("Desired"),
            number("Current"),
            number("Ready"),
            number("Up-to-date"),
            number("Available"),
            text("Node Selector"),
            AGE,
            wide("Containers"),
            wide("Images"),
            wide("Selector"),
        ],
        Resource::Deployments => vec![
            NAME,
            text("Ready"),
            number("Up-to-date"),
            number("Available"),
            AGE,
            wide("Containers"),
            wide("Images"),
            wide("Selector"),
        ],
    }
}

/// `columnDefinitions` of a table.
pub(super) fn definitions(resource: Resource) -> Vec<Value> {
    let definition = |(name, kind, wide): Column| {
        json!({
            "name": name,
            "type": kind,
            "format": if name == "Name" { "name" } else { "" },
            "description": "",
            "priority": i32::from(wide),
        })
    };
    columns(resource).into_iter().map(definition).collect()
}

/// The cells of an object's row, one for each column.
pub(super) fn cells(resource: Resource, object: &Value, now: Timestamp) -> Vec<Value> {
    let name = text(object, "/metadata/name");
    let age = age::of(object, now);
    let cells = match resource {
        Resource::Namespaces => json!([name, text(object, "/status/phase"), age]),
        Resource::ServiceAccounts => json!([name, age]),
        Resource::Nodes => node(object, name, age),
        Resource::Pods => pod::cells(object, name, age),
        Resource::DaemonSets => workload::daemon_set(object, name, age),
        Resource::Deployments => workload::deployment(object, name, age),
    };
    match cells {
        Value::Array(cells) => cells,
        other => vec![other],
    }
}

fn node(node: &Value, name: &str, age: String) -> Value {
    let mut status = match items(node, "/status/conditions")
        .iter()
        .find(|condition| text(condition, "/type") == "Ready")
    {
        Some(ready) if text(ready, "/status") == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true) {
        status.push_str(",SchedulingDisabled");
    }
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.as_str() {
            "kubernetes.io/role" => value.as_str(),
            key => key.strip_prefix("node-role.kubernetes.io/"),
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    let address = |kind: &str| {
        let addresses = items(node, "/status/addresses");
        addresses
            .iter()
            .find(|address| text(address, "/type") == kind)
            .map_or("<none>", |address| text(address, "/address"))
    };
    let info = |field: &str| or(text(node, &format!("/status/nodeInfo/{field}")), "<unknown>");
    json!([
        name,
        status,
        or(&roles.join(","), "<none>"),
        age,
        text(node, "/status/nodeInfo/kubeletVersion"),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ])
}

/// `text`, or `otherwise` where there is none.
pub(super) fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise } else { text }.to_owned()
}
