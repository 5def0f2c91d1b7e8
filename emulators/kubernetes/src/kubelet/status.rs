//! What a kubelet says of a pod.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use crate::store::object::{items, set, set_condition, text};

/// The status of a pod whose sandbox runs.
pub(super) fn set_running(pod: &mut Value, node: Ipv4Addr, addresses: &[IpAddr], now: &str) {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let list = |ips: &[String]| -> Vec<Value> { ips.iter().map(|ip| json!({"ip": ip})).collect() };
    let node = node.to_string();
    let status = ["status"];
    let at = |field| [status[0], field];
    set(pod, &at("phase"), "Running");
    set(pod, &at("hostIP"), node.clone());
    set(pod, &at("hostIPs"), list(&[node]));
    if let Some(first) = addresses.first() {
        set(pod, &at("podIP"), first.clone());
    }
    set(pod, &at("podIPs"), list(&addresses));
    set(pod, &at("startTime"), now);
    let running = json!({"running": {"startedAt": now}});
    let completed = json!({"terminated": {
        "exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now,
    }});
    let statuses = containers(pod, "containers", &running);
    set(pod, &at("containerStatuses"), statuses);
    if !items(pod, "/spec/initContainers").is_empty() {
        let statuses = containers(pod, "initContainers", &completed);
        set(pod, &at("initContainerStatuses"), statuses);
    }
    for kind in ["Initialized", "Ready", "ContainersReady"] {
        set_condition(
            pod,
            json!({
                "type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
            }),
        );
    }
}

/// The status of a pod that could not be started.
pub(super) fn set_failed(pod: &mut Value, message: &str) {
    set(pod, &["status", "phase"], "Failed");
    set(pod, &["status", "reason"], "FailedCreatePodSandBox");
    set(pod, &["status", "message"], message);
}

fn containers(pod: &Value, list: &str, state: &Value) -> Vec<Value> {
    let uid = text(pod, "/metadata/uid");
    let status = |container: &Value| {
        let name = text(container, "/name");
        json!({
            "name": name,
            "image": text(container, "/image"),
            "imageID": "",
            "containerID": format!("rolecall://{uid}/{name}"),
            "ready": true,
            "started": state.get("running").is_some(),
            "restartCount": 0,
            "state": state,
            "lastState": {},
        })
    };
    items(pod, &format!("/spec/{list}")).iter().map(status).collect()
}
