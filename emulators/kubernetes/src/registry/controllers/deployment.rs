use serde_json::{Value, json};

use super::pods::{Owned, Workload};
use crate::{
    registry::Registry,
    store::{
        Resource, State,
        object::{set, text},
    },
};

// === impl Registry ===

impl Registry {
    /// Keeps as many pods of each Deployment as it has replicas.
    pub(super) fn run_deployments(&self, state: &mut State) {
        for deployment in Workload::all(state, Resource::Deployments) {
            self.run_deployment(state, &deployment);
        }
    }

    fn run_deployment(&self, state: &mut State, deployment: &Workload) {
        let spec = &deployment.object["spec"];
        let replicas = spec["replicas"]
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(1);
        let paused = spec["paused"].as_bool() == Some(true);
        let failure = if paused {
            None
        } else {
            self.keep_replicas(state, deployment, replicas)
        };
        let pods = deployment.pods(state);
        let count = |holds: fn(&Owned) -> bool| pods.iter().filter(|pod| !pod.ending && holds(pod)).count();
        let (all, updated, ready) = (count(|_| true), count(|pod| pod.current), count(|pod| pod.ready));
        let mut status = json!({"observedGeneration": deployment.object["metadata"]["generation"]});
        for (field, number) in [
            ("replicas", all),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
            ("unavailableReplicas", replicas.max(all) - ready.min(replicas.max(all))),
        ] {
            // The server leaves out options that are zero.
            if number > 0 {
                status[field] = number.into();
            }
        }
        let complete = updated == replicas && all == replicas && ready >= replicas;
        let mut conditions = vec![
            match ready >= replicas {
                true => condition(
                    "Available",
                    true,
                    "MinimumReplicasAvailable",
                    "Deployment has minimum availability.",
                ),
                false => condition(
                    "Available",
                    false,
                    "MinimumReplicasUnavailable",
                    "Deployment does not have minimum availability.",
                ),
            },
            match complete {
                true => condition(
                    "Progressing",
                    true,
                    "NewReplicaSetAvailable",
                    "Deployment has successfully progressed.",
                ),
                false => condition("Progressing", true, "ReplicaSetUpdated", "Deployment is progressing."),
            },
        ];
        if let Some(message) = failure {
            conditions.push(condition("ReplicaFailure", true, "FailedCreate", &message));
        }
        self.set_workload_status(state, deployment, status, conditions);
    }

    /// Makes what is missing and ends what is too much; what the server said if it has refused a pod.
    fn keep_replicas(&self, state: &mut State, deployment: &Workload, replicas: usize) -> Option<String> {
        let pods = deployment.pods(state);
        let recreate = text(&deployment.object, "/spec/strategy/type") == "Recreate";
        let mut current: Vec<&Owned> = pods.iter().filter(|pod| pod.current && !pod.ending).collect();
        let mut former: Vec<&Owned> = pods.iter().filter(|pod| !pod.current && !pod.ending).collect();
        let mut failure = None;
        // With `Recreate` all of the former must be gone before the first of the new comes.
        if !recreate || pods.iter().all(|pod| pod.current) {
            for _ in current.len()..replicas {
                let mut pod = deployment.pod();
                let prefix = format!("{}-{}-", deployment.key.name, deployment.hash);
                set(&mut pod, &["metadata", "generateName"], prefix);
                if let Err(error) = self.make_pod(state, deployment, pod) {
                    failure = Some(text(&error.to_status(), "/message").to_owned());
                    break;
                }
            }
        }
        // Those that are not ready go first, then the youngest.
        current.sort_by_key(|pod| !pod.ready);
        for extra in current.iter().skip(replicas) {
            self.end_pod(state, &extra.key);
        }
        // Each new pod that is ready takes the place of a former one.
        let ready = current.iter().take(replicas).filter(|pod| pod.ready).count();
        let kept = if recreate { 0 } else { replicas - ready };
        former.sort_by_key(|pod| !pod.ready);
        for pod in former.iter().skip(kept) {
            self.end_pod(state, &pod.key);
        }
        failure
    }
}

fn condition(kind: &str, holds: bool, reason: &str, message: &str) -> Value {
    json!({
        "type": kind,
        "status": if holds { "True" } else { "False" },
        "reason": reason,
        "message": message,
    })
}
