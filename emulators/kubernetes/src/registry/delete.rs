use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use serde_json::Value;

use super::{Registry, timestamp};
use crate::{
    api::ApiError,
    store::{
        Key, Resource, State,
        object::{has, items, set, text},
    },
};

/// `DeleteOptions`, as far as they change what happens.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    /// Seconds; the pod's own `terminationGracePeriodSeconds` if absent. The server reads a negative one as 1.
    pub(crate) grace_period_seconds: Option<i64>,
    /// The UID that the object must have.
    pub(crate) uid: Option<String>,
    /// The version that the object must be at.
    pub(crate) resource_version: Option<String>,
    /// What becomes of the pods of a workload.
    pub(crate) propagation: Propagation,
}

/// `propagationPolicy`: what becomes of the objects that a deleted one owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Propagation {
    /// They are deleted after their owner.
    #[default]
    Background,
    /// Their owner goes after them.
    Foreground,
    /// They stay, without an owner.
    Orphan,
}

/// The finalizer of an owner that waits for what it owns to go.
pub(super) const FOREGROUND_DELETION: &str = "foregroundDeletion";

// === impl Registry ===

impl Registry {
    /// Deletes an object, or begins to: a pod on a node whose kubelet runs is gone when that has stopped it.
    /// Answers the object as it is now, or was last.
    pub(crate) fn delete(&self, key: &Key, options: &DeleteOptions) -> Result<Arc<Value>, ApiError> {
        self.write(|state| self.delete_in(state, key, options))
    }

    pub(super) fn delete_in(
        &self,
        state: &mut State,
        key: &Key,
        options: &DeleteOptions,
    ) -> Result<Arc<Value>, ApiError> {
        let Some(current) = state.get(key).cloned() else {
            return Err(ApiError::not_found(key.resource, &key.name));
        };
        for (what, asked, pointer) in [
            ("UID", &options.uid, "/metadata/uid"),
            (
                "ResourceVersion",
                &options.resource_version,
                "/metadata/resourceVersion",
            ),
        ] {
            if let Some(asked) = asked
                && asked != text(&current, pointer)
            {
                let is = text(&current, pointer);
                let why = format!("Precondition failed: {what} in precondition: {asked}, {what} in object meta: {is}");
                return Err(ApiError::conflict(key.resource, &key.name, &why));
            }
        }
        match key.resource {
            Resource::Namespaces => self.delete_namespace(state, key).map(Arc::new),
            Resource::Pods => Ok(self.delete_pod(state, key, &current, options)),
            Resource::DaemonSets | Resource::Deployments => {
                Ok(self.delete_workload(state, key, &current, options.propagation))
            }
            Resource::Nodes | Resource::ServiceAccounts => Ok(self.remove_or_mark(state, key, &current, 0)),
        }
    }

    fn delete_workload(
        &self,
        state: &mut State,
        key: &Key,
        current: &Arc<Value>,
        propagation: Propagation,
    ) -> Arc<Value> {
        match propagation {
            Propagation::Background => {}
            Propagation::Orphan => self.orphan(state, key, current),
            Propagation::Foreground => {
                let mut finalizers = items(current, "/metadata/finalizers").to_vec();
                let waits = Value::from(FOREGROUND_DELETION);
                if finalizers.contains(&waits) {
                    return current.clone();
                }
                finalizers.push(waits);
                let mut waiting = self.marked(current, 0);
                set(&mut waiting, &["metadata", "finalizers"], finalizers);
                return state.put(key.clone(), waiting);
            }
        }
        self.remove_or_mark(state, key, current, 0)
    }

    fn delete_pod(&self, state: &mut State, key: &Key, current: &Arc<Value>, options: &DeleteOptions) -> Arc<Value> {
        let node = text(current, "/spec/nodeName");
        let own = current
            .pointer("/spec/terminationGracePeriodSeconds")
            .and_then(Value::as_i64);
        let mut grace = options.grace_period_seconds.or(own).unwrap_or(30);
        if grace < 0 {
            grace = 1;
        }
        if node.is_empty() {
            grace = 0;
        }
        if grace == 0 && !self.kubelet_runs(node) {
            return self.remove_or_mark(state, key, current, 0);
        }
        let pending = current
            .pointer("/metadata/deletionGracePeriodSeconds")
            .and_then(Value::as_i64);
        if pending.is_some_and(|pending| grace >= pending) {
            // It is ending already, and a grace period can only be shortened.
            return current.clone();
        }
        state.put(key.clone(), self.marked(current, grace))
    }

    /// Removes a pod that its kubelet has stopped, if it is still the same one. With finalizers it stays until the
    /// last of them is taken off.
    pub(crate) fn finish_pod(&self, key: &Key, uid: &str) {
        self.write(|state| {
            if let Some(current) = state.get(key).cloned()
                && text(&current, "/metadata/uid") == uid
            {
                self.remove_or_mark(state, key, &current, 0);
            }
        });
    }

    fn remove_or_mark(&self, state: &mut State, key: &Key, current: &Arc<Value>, grace: i64) -> Arc<Value> {
        if items(current, "/metadata/finalizers").is_empty() {
            return self.remove(state, key).unwrap_or_else(|| current.clone());
        }
        let marked = self.marked(current, grace);
        if marked == **current {
            return current.clone();
        }
        state.put(key.clone(), marked)
    }

    /// Removes an object for good, and with it perhaps the ending namespace that it was the last of.
    pub(super) fn remove(&self, state: &mut State, key: &Key) -> Option<Arc<Value>> {
        let last = state.remove(key);
        if key.resource.is_namespaced() {
            self.purge_namespace(state, &key.namespace);
        }
        last
    }

    fn marked(&self, current: &Value, grace: i64) -> Value {
        let mut marked = current.clone();
        if !has(current, "/metadata/deletionTimestamp") || grace > 0 {
            let grace = Duration::from_secs(grace.unsigned_abs());
            let end = self
                .clock
                .wall()
                .saturating_add(SignedDuration::try_from(grace).unwrap_or(SignedDuration::MAX))
                .unwrap_or(jiff::Timestamp::MAX);
            set(&mut marked, &["metadata", "deletionTimestamp"], timestamp(end));
        }
        set(&mut marked, &["metadata", "deletionGracePeriodSeconds"], grace);
        marked
    }
}
