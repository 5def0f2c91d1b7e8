use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use k8s_openapi::api::core::v1::Namespace;
use tokio::sync::watch;

/// How long a request of a pod whose namespace is not known waits for the watch of namespaces.
const UNSEEN: Duration = Duration::from_millis(250);

/// What is kept of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceRecord {
    /// `metadata.name`.
    pub name: String,
    /// The annotation that lists the allowed roles, as it is written.
    pub allowed_roles: Option<String>,
}

/// The namespaces, by name.
#[derive(Debug)]
pub struct Namespaces {
    writer: Mutex<()>,
    by_name: ArcSwap<HashMap<String, Arc<NamespaceRecord>>>,
    synced: AtomicBool,
    changes: watch::Sender<()>,
}

impl Namespaces {
    /// No namespaces, not yet synced.
    pub fn new() -> Self {
        Self {
            writer: Mutex::default(),
            by_name: ArcSwap::default(),
            synced: AtomicBool::new(false),
            changes: watch::Sender::new(()),
        }
    }

    /// The namespace of that name. Waits for at most a quarter of a second, and only if it is not known.
    pub async fn named(&self, name: &str) -> Option<Arc<NamespaceRecord>> {
        let mut changes = self.changes.subscribe();
        let seen = async {
            loop {
                if let Some(found) = self.by_name.load().get(name) {
                    return Some(found.clone());
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(UNSEEN, seen).await.ok().flatten()
    }

    /// Adds a namespace, or what has become of it.
    pub fn apply(&self, namespace: NamespaceRecord) {
        self.change(|all| {
            all.insert(namespace.name.clone(), Arc::new(namespace));
        });
    }

    /// Forgets a namespace that is gone.
    pub fn remove(&self, name: &str) {
        self.change(|all| {
            all.remove(name);
        });
    }

    /// Replaces all namespaces by a fresh list.
    pub fn replace(&self, list: Vec<NamespaceRecord>) {
        self.synced.store(true, Ordering::SeqCst);
        self.change(|all| *all = list.into_iter().map(|one| (one.name.clone(), Arc::new(one))).collect());
    }

    /// Whether the namespaces have been listed once.
    pub fn is_synced(&self) -> bool {
        self.synced.load(Ordering::SeqCst)
    }

    /// Ends once the namespaces have been listed.
    pub async fn synced(&self) {
        let mut changes = self.changes.subscribe();
        while !self.is_synced() && changes.changed().await.is_ok() {}
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, Arc<NamespaceRecord>>)) {
        let writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = HashMap::clone(&self.by_name.load());
        change(&mut all);
        self.by_name.store(Arc::new(all));
        drop(writing);
        self.changes.send_replace(());
    }
}

impl Default for Namespaces {
    fn default() -> Self {
        Self::new()
    }
}

// === impl NamespaceRecord ===

impl NamespaceRecord {
    /// Reads a namespace; none if it has no name, which no stored namespace lacks.
    pub fn read(namespace: &Namespace, key: &str) -> Option<Self> {
        let metadata = &namespace.metadata;
        Some(Self {
            name: metadata.name.clone()?,
            allowed_roles: metadata.annotations.as_ref().and_then(|all| all.get(key)).cloned(),
        })
    }
}
