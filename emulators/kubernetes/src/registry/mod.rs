//! The rules of each resource type: what may be made and changed, what a creation fills in, and how something is
//! deleted. All of it runs under the lock of the store, so that a transaction is seen whole or not at all.

mod controllers;
mod create;
mod delete;
mod metadata;
mod namespace;
mod pod;
mod scheduler;
mod service_account;
mod type_error;
mod update;
mod volumes;
mod workload;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use rolecall_clock::Clock;

use crate::{
    authentication::Issuer,
    store::{State, Store},
};

pub(crate) use delete::{DeleteOptions, Propagation};
pub(crate) use metadata::decode;
pub(crate) use scheduler::CONTROL_PLANE;
pub(crate) use service_account::ROOT_CA;
pub(crate) use update::Part;

/// The objects of a cluster with their rules.
pub(crate) struct Registry {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    /// Who signs the tokens of its service accounts.
    pub(crate) issuer: Issuer,
    /// The kubelets that run, by node: their pods are gone only after they were stopped. Counted, because a new
    /// kubelet may begin before the last of the old one is dropped.
    kubelets: Mutex<BTreeMap<String, usize>>,
}

// === impl Registry ===

impl Registry {
    /// A cluster with the namespaces that every cluster has.
    pub(crate) fn new(clock: Clock, issuer: Issuer) -> Self {
        let registry = Self {
            store: Store::new(),
            clock,
            issuer,
            kubelets: Mutex::new(BTreeMap::new()),
        };
        registry.make_initial_namespaces();
        registry
    }

    /// Runs one transaction, and then, before anybody sees its result, the controllers and the scheduler.
    pub(crate) fn write<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        self.store.write(|state| {
            let before = state.version();
            let result = f(state);
            if state.version() != before {
                self.run_controllers(state);
            }
            result
        })
    }

    /// The world's time as Kubernetes writes it: RFC 3339 in UTC, whole seconds.
    pub(crate) fn now(&self) -> String {
        timestamp(self.clock.wall())
    }

    pub(crate) fn kubelet_started(&self, node: &str) {
        *self.kubelets().entry(node.to_owned()).or_default() += 1;
    }

    pub(crate) fn kubelet_stopped(&self, node: &str) {
        if let Some(count) = self.kubelets().get_mut(node) {
            *count = count.saturating_sub(1);
        }
    }

    fn kubelet_runs(&self, node: &str) -> bool {
        self.kubelets().get(node).is_some_and(|count| *count > 0)
    }

    fn kubelets(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.kubelets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `metav1.Time` on the wire.
pub(crate) fn timestamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A random (version 4) UUID, as every object's `metadata.uid` is.
pub(crate) fn random_uid() -> String {
    let bits = (rand::random::<u128>() & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_version_4_uuid() {
        for _ in 0..100 {
            let uid = random_uid();
            let parts: Vec<usize> = uid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert_eq!(&uid[14..15], "4", "{uid}");
            assert!("89ab".contains(&uid[19..20]), "{uid}");
        }
    }

    #[test]
    fn a_timestamp_has_whole_seconds() {
        let at = Timestamp::from_millisecond(1_700_000_000_999).expect("in range");
        assert_eq!(timestamp(at), "2023-11-14T22:13:20Z");
    }
}
