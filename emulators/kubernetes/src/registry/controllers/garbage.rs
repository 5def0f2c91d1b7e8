use std::sync::Arc;

use serde_json::Value;

use super::pods::controller;
use crate::{
    registry::{Registry, delete::FOREGROUND_DELETION},
    store::{
        Key, Resource, State,
        object::{has, items, set, text},
    },
};

// === impl Registry ===

impl Registry {
    /// Deletes the pods whose workloads are gone or wait for them, and the workloads that have waited long enough.
    pub(super) fn collect_garbage(&self, state: &mut State) {
        let orphans: Vec<Key> = state
            .list(Resource::Pods, None)
            .filter(|(key, pod)| !has(pod, "/metadata/deletionTimestamp") && is_unowned(state, key, pod))
            .map(|(key, _)| key.clone())
            .collect();
        for pod in orphans {
            self.end_pod(state, &pod);
        }
        for resource in [Resource::DaemonSets, Resource::Deployments] {
            let waiting: Vec<(Key, Arc<Value>)> = state
                .list(resource, None)
                .filter(|(_, owner)| waits(owner))
                .map(|(key, owner)| (key.clone(), owner.clone()))
                .collect();
            for (key, owner) in waiting {
                if owned(state, &key, &owner).is_empty() {
                    self.finish_waiting(state, &key, &owner);
                }
            }
        }
    }

    fn finish_waiting(&self, state: &mut State, key: &Key, owner: &Value) {
        let mut finalizers = items(owner, "/metadata/finalizers").to_vec();
        finalizers.retain(|finalizer| finalizer != FOREGROUND_DELETION);
        if finalizers.is_empty() {
            self.remove(state, key);
        } else {
            let mut rest = owner.clone();
            set(&mut rest, &["metadata", "finalizers"], finalizers);
            state.put(key.clone(), rest);
        }
    }

    /// Takes the owner off what it owns.
    pub(in crate::registry) fn orphan(&self, state: &mut State, key: &Key, owner: &Value) {
        let uid = text(owner, "/metadata/uid");
        for pod in owned(state, key, owner) {
            let Some(current) = state.get(&pod).cloned() else {
                continue;
            };
            let mut owners = items(&current, "/metadata/ownerReferences").to_vec();
            owners.retain(|owner| text(owner, "/uid") != uid);
            let mut freed = Value::clone(&current);
            set(&mut freed, &["metadata", "ownerReferences"], owners);
            state.put(pod, freed);
        }
    }
}

/// Whether a pod has a workload as its controlling owner that is gone, or waits for it to go.
fn is_unowned(state: &State, pod: &Key, object: &Value) -> bool {
    let Some(owner) = controller(object) else {
        return false;
    };
    let Some(resource) = Resource::ALL.into_iter().find(|resource| {
        resource.is_workload()
            && resource.kind() == text(owner, "/kind")
            && resource.api_version() == text(owner, "/apiVersion")
    }) else {
        return false;
    };
    let key = Key::new(resource, &pod.namespace, text(owner, "/name"));
    state
        .get(&key)
        .is_none_or(|found| text(found, "/metadata/uid") != text(owner, "/uid") || waits(found))
}

fn waits(owner: &Value) -> bool {
    has(owner, "/metadata/deletionTimestamp")
        && items(owner, "/metadata/finalizers")
            .iter()
            .any(|finalizer| finalizer == FOREGROUND_DELETION)
}

fn owned(state: &State, key: &Key, owner: &Value) -> Vec<Key> {
    let uid = text(owner, "/metadata/uid");
    let owns = |pod: &Value| controller(pod).is_some_and(|owner| text(owner, "/uid") == uid);
    let pods = state.list(Resource::Pods, Some(&key.namespace));
    pods.filter(|(_, pod)| owns(pod)).map(|(key, _)| key.clone()).collect()
}
