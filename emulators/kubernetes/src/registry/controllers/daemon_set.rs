use serde_json::{Value, json};

use super::pods::{Owned, Workload};
use crate::{
    registry::{
        Registry,
        scheduler::{UNSCHEDULABLE, takes},
    },
    store::{
        Resource, State,
        object::{items, set, text},
    },
};

// === impl Registry ===

impl Registry {
    /// Keeps one pod of each DaemonSet on every node that takes it.
    pub(super) fn run_daemon_sets(&self, state: &mut State) {
        for set in Workload::all(state, Resource::DaemonSets) {
            self.run_daemon_set(state, &set);
        }
    }

    fn run_daemon_set(&self, state: &mut State, daemons: &Workload) {
        let pod = tolerant(daemons.pod());
        let wanted: Vec<String> = state
            .list(Resource::Nodes, None)
            .filter(|(key, node)| takes(node, &pod) && ["", key.name.as_str()].contains(&text(&pod, "/spec/nodeName")))
            .map(|(key, _)| key.name.clone())
            .collect();
        let pods = daemons.pods(state);
        let mut failure = None;
        for node in &wanted {
            let here: Vec<&Owned> = pods.iter().filter(|pod| pod.node == *node).collect();
            // A node has its next daemon only once the last one is gone.
            if here.is_empty() {
                let mut pod = pod.clone();
                set(&mut pod, &["spec", "nodeName"], node.clone());
                failure = failure.or(self.make_pod(state, daemons, pod).err());
            }
            for extra in here.iter().filter(|pod| !pod.ending).skip(1) {
                self.end_pod(state, &extra.key);
            }
        }
        let misplaced = |pod: &&Owned| !wanted.contains(&pod.node);
        for pod in pods.iter().filter(misplaced).filter(|pod| !pod.ending) {
            self.end_pod(state, &pod.key);
        }
        self.roll_daemons(state, daemons, &wanted);
        let pods = daemons.pods(state);
        let on =
            |node: &String, holds: fn(&Owned) -> bool| pods.iter().any(|p| p.node == *node && !p.ending && holds(p));
        let count = |holds: fn(&Owned) -> bool| wanted.iter().filter(|node| on(node, holds)).count();
        let ready = count(|pod| pod.ready);
        let mut status = json!({
            "currentNumberScheduled": count(|_| true),
            "numberMisscheduled": pods.iter().filter(misplaced).count(),
            "desiredNumberScheduled": wanted.len(),
            "numberReady": ready,
            "observedGeneration": daemons.object["metadata"]["generation"],
        });
        for (field, number) in [
            ("updatedNumberScheduled", count(|pod| pod.current)),
            ("numberAvailable", ready),
            ("numberUnavailable", wanted.len() - ready),
        ] {
            // The server leaves out options that are zero.
            if number > 0 {
                status[field] = number.into();
            }
        }
        if let Some(error) = failure {
            tracing::warn!(?error, set = daemons.key.name, "a pod of a DaemonSet was refused");
        }
        self.set_workload_status(state, daemons, status, Vec::new());
    }

    /// Ends pods of a former template: those that are not ready, and of the others as many as may be missing at once.
    fn roll_daemons(&self, state: &mut State, daemons: &Workload, wanted: &[String]) {
        if text(&daemons.object, "/spec/updateStrategy/type") == "OnDelete" {
            return;
        }
        let pods = daemons.pods(state);
        let ready = |node: &String| pods.iter().any(|pod| pod.node == *node && pod.ready && !pod.ending);
        let mut missing = wanted.iter().filter(|node| !ready(node)).count();
        let limit = daemons
            .object
            .pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable")
            .map_or(1, |limit| share(limit, wanted.len()));
        for pod in pods.iter().filter(|pod| !pod.current && !pod.ending) {
            if pod.ready {
                if missing >= limit.max(1) {
                    continue;
                }
                missing += 1;
            }
            self.end_pod(state, &pod.key);
        }
    }
}

/// A number, or a percentage of `whole` rounded up.
fn share(limit: &Value, whole: usize) -> usize {
    match limit.as_str().and_then(|text| text.strip_suffix('%')) {
        Some(percent) => percent
            .parse::<usize>()
            .map_or(1, |percent| whole.saturating_mul(percent).div_ceil(100)),
        None => limit.as_u64().and_then(|limit| limit.try_into().ok()).unwrap_or(1),
    }
}

/// A daemon tolerates the taints by which a node says that it is not well.
fn tolerant(mut pod: Value) -> Value {
    let mut tolerations = items(&pod, "/spec/tolerations").to_vec();
    for (key, effect) in [
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"),
        (UNSCHEDULABLE, "NoSchedule"),
    ] {
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": effect}));
    }
    if pod.pointer("/spec/hostNetwork").and_then(Value::as_bool) == Some(true) {
        let key = "node.kubernetes.io/network-unavailable";
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoSchedule"}));
    }
    set(&mut pod, &["spec", "tolerations"], tolerations);
    pod
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(json!(2), 2)]
    #[case(json!("50%"), 2)]
    #[case(json!("10%"), 1)]
    #[case(json!("x%"), 1)]
    #[case(json!(-1), 1)]
    fn a_limit_is_a_number_or_a_share_rounded_up(#[case] limit: Value, #[case] expected: usize) {
        assert_eq!(share(&limit, 3), expected);
    }
}
