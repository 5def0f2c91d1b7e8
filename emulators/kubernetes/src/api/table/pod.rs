use serde_json::{Value, json};

use super::columns::or;
use crate::store::object::{has, items, text};

/// The cells of a pod (`printPod`).
pub(super) fn cells(pod: &Value, name: &str, age: String) -> Value {
    let statuses = items(pod, "/status/containerStatuses");
    let is_ready = |status: &&Value| status.get("ready").and_then(Value::as_bool) == Some(true);
    let restarts: i64 = statuses
        .iter()
        .filter_map(|status| status.get("restartCount").and_then(Value::as_i64))
        .sum();
    json!([
        name,
        format!(
            "{}/{}",
            statuses.iter().filter(is_ready).count(),
            items(pod, "/spec/containers").len()
        ),
        status(pod),
        restarts.to_string(),
        age,
        or(text(pod, "/status/podIP"), "<none>"),
        or(text(pod, "/spec/nodeName"), "<none>"),
        or(text(pod, "/status/nominatedNodeName"), "<none>"),
        "<none>",
    ])
}

/// The word for what a pod is doing: the most telling of its phase, the reasons of its containers and its end.
fn status(pod: &Value) -> String {
    if has(pod, "/metadata/deletionTimestamp") {
        return "Terminating".to_owned();
    }
    let waiting = items(pod, "/status/containerStatuses").iter().rev().find_map(|status| {
        [
            text(status, "/state/waiting/reason"),
            text(status, "/state/terminated/reason"),
        ]
        .into_iter()
        .find(|reason| !reason.is_empty())
    });
    or(
        waiting.unwrap_or(text(pod, "/status/reason")),
        text(pod, "/status/phase"),
    )
}
