use serde_json::{Value, json};

use super::Registry;
use crate::store::{
    Key, Resource, State,
    object::{items, set, set_condition, text},
};

/// The taint, and the label, of the nodes that run the control plane.
pub(crate) const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// The taint that a cordoned node implies.
pub(super) const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

// === impl Registry ===

impl Registry {
    /// Binds every pod that has no node yet to the first node, by name, that takes it; nodes of the control plane
    /// come last. A pod that none takes waits.
    pub(super) fn schedule(&self, state: &mut State) {
        let waiting: Vec<Key> = state
            .list(Resource::Pods, None)
            .filter(|(_, pod)| text(pod, "/spec/nodeName").is_empty())
            .filter(|(_, pod)| text(pod, "/spec/schedulerName") == "default-scheduler")
            .map(|(key, _)| key.clone())
            .collect();
        for key in waiting {
            let Some(pod) = state.get(&key).cloned() else {
                continue;
            };
            let node = state
                .list(Resource::Nodes, None)
                .filter(|(_, node)| takes(node, &pod))
                .min_by_key(|(key, node)| (is_control_plane(node), &key.name))
                .map(|(key, _)| key.name.clone());
            let mut scheduled = Value::clone(&pod);
            let condition = match node {
                Some(node) => {
                    set(&mut scheduled, &["spec", "nodeName"], node);
                    json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": self.now()})
                }
                // The condition is written once: a pod that goes on waiting is not changed.
                None if !items(&pod, "/status/conditions").is_empty() => continue,
                None => json!({
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": format!("0/{} nodes are available", state.list(Resource::Nodes, None).count()),
                    "lastProbeTime": null,
                    "lastTransitionTime": self.now(),
                }),
            };
            set_condition(&mut scheduled, condition);
            state.put(key, scheduled);
        }
    }
}

fn is_control_plane(node: &Value) -> bool {
    text(node, "/metadata/name").starts_with("master-")
        || items(node, "/spec/taints")
            .iter()
            .any(|taint| text(taint, "/key") == CONTROL_PLANE)
}

/// Whether `node` takes `pod`: not cordoned (unless tolerated), every hard taint tolerated, and labelled as the pod asks.
pub(super) fn takes(node: &Value, pod: &Value) -> bool {
    let unschedulable = json!({"key": UNSCHEDULABLE, "effect": "NoSchedule"});
    let cordoned = node
        .pointer("/spec/unschedulable")
        .and_then(Value::as_bool)
        .unwrap_or(false)
        && !tolerates(pod, &unschedulable);
    let mut taints = items(node, "/spec/taints")
        .iter()
        .filter(|taint| text(taint, "/effect") != "PreferNoSchedule");
    let implied = json!({"key": CONTROL_PLANE, "effect": "NoSchedule"});
    let selector = pod.pointer("/spec/nodeSelector").and_then(Value::as_object);
    !cordoned
        && taints.all(|taint| tolerates(pod, taint))
        && (!is_control_plane(node) || tolerates(pod, &implied))
        && selector
            .into_iter()
            .flatten()
            .all(|(key, value)| node["metadata"]["labels"].get(key) == Some(value))
}

/// Whether one of the pod's tolerations covers `taint` (`Toleration.ToleratesTaint`).
fn tolerates(pod: &Value, taint: &Value) -> bool {
    items(pod, "/spec/tolerations").iter().any(|toleration| {
        let (key, effect) = (text(toleration, "/key"), text(toleration, "/effect"));
        let exists = text(toleration, "/operator") == "Exists";
        (effect.is_empty() || effect == text(taint, "/effect"))
            && (key == text(taint, "/key") || (key.is_empty() && exists))
            && (exists || text(toleration, "/value") == text(taint, "/value"))
    })
}

#[cfg(test)]
mod tests {
    use rolecall_clock::Clock;
    use rstest::rstest;

    use super::*;
    use crate::authentication::Issuer;

    fn registry(nodes: &[Value]) -> Registry {
        let registry = Registry::new(Clock::new(), Issuer::new("https://a".to_owned()).expect("random bytes"));
        for node in nodes {
            registry
                .create(Resource::Nodes, None, node.clone())
                .expect("a valid node");
        }
        registry
    }

    fn node(name: &str) -> Value {
        json!({"metadata": {"name": name}})
    }

    fn bound(registry: &Registry, spec: Value) -> String {
        let mut pod = json!({"metadata": {"generateName": "p-"}, "spec": spec});
        set(&mut pod, &["spec", "containers"], json!([{"name": "c", "image": "i"}]));
        let made = registry
            .create(Resource::Pods, Some("default"), pod)
            .expect("a valid pod");
        let key = Key::new(Resource::Pods, "default", text(&made, "/metadata/name"));
        registry
            .store
            .read(|state| text(&state.get(&key).expect("kept")["spec"], "/nodeName").to_owned())
    }

    #[rstest]
    #[case::workers_first(json!({}), "node-1")]
    #[case::a_named_node_is_kept(json!({"nodeName": "node-9"}), "node-9")]
    #[case::tolerant_pods_still_prefer_workers(json!({"tolerations": [{"operator": "Exists"}]}), "node-1")]
    #[case::a_selector_decides(json!({"nodeSelector": {"disk": "ssd"}}), "node-2")]
    #[case::nothing_fits(json!({"nodeSelector": {"disk": "tape"}}), "")]
    fn a_pod_goes_to_the_first_node_that_takes_it(#[case] spec: Value, #[case] expected: &str) {
        let mut fast = node("node-2");
        fast["metadata"]["labels"] = json!({"disk": "ssd"});
        let mut full = node("node-0");
        full["spec"] = json!({"taints": [{"key": "full", "effect": "NoSchedule"}]});
        let mut away = node("a-cordoned");
        away["spec"] = json!({"unschedulable": true});
        let nodes = if expected == "node-1" && spec.get("tolerations").is_some() {
            vec![node("master-1"), fast, node("node-1")]
        } else {
            vec![node("master-1"), fast, full, away, node("node-1")]
        };
        assert_eq!(bound(&registry(&nodes), spec), expected);
    }

    #[test]
    fn a_waiting_pod_is_bound_when_a_node_comes() {
        let registry = registry(&[node("master-1")]);
        assert_eq!(bound(&registry, json!({})), "");
        registry
            .create(Resource::Nodes, None, node("node-1"))
            .expect("a valid node");
        let node = registry.store.read(|state| {
            let pods: Vec<_> = state.list(Resource::Pods, None).collect();
            text(pods[0].1, "/spec/nodeName").to_owned()
        });
        assert_eq!(node, "node-1");
    }
}
