//! Whether pods can be served.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{answer::Restriction, which::Base, who::Directory};

/// What must be true before pods are served.
#[derive(Clone, Debug)]
pub(crate) struct Readiness {
    pub(crate) pods: Arc<Directory>,
    pub(crate) restriction: Restriction,
    pub(crate) base: Base,
    pub(crate) listening: Arc<AtomicBool>,
    pub(crate) intercepting: Arc<AtomicBool>,
}

impl Readiness {
    /// What is missing; nothing once pods can be served.
    pub(crate) fn missing(&self) -> Vec<String> {
        let namespaces = match &self.restriction {
            Restriction::Off => true,
            Restriction::On(namespaces) => namespaces.is_synced(),
        };
        let all = [
            (self.pods.is_synced(), "the pods have not been listed"),
            (namespaces, "the namespaces have not been listed"),
            (
                self.intercepting.load(Ordering::SeqCst),
                "the interception rule is not installed",
            ),
            (self.listening.load(Ordering::SeqCst), "the port for pods is not bound"),
        ];
        all.into_iter()
            .filter(|(done, _)| !done)
            .map(|(_, what)| what.to_owned())
            .chain(self.base.missing())
            .collect()
    }

    /// Ends once all that has to be asked for is known.
    pub(crate) async fn informed(&self) {
        self.base.known().await;
        self.pods.synced().await;
        if let Restriction::On(namespaces) = &self.restriction {
            namespaces.synced().await;
        }
    }
}
