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

use crate::may::{AllowedRoles, RestrictionFormat};

/// How long a request of a pod whose namespace is not known waits for the watch of namespaces.
const UNSEEN: Duration = Duration::from_millis(250);

/// What is kept of a namespace.
#[derive(Clone, Debug)]
pub struct NamespaceRecord {
    /// `metadata.name`.
    pub name: String,
    /// The annotation that lists the allowed roles.
    pub allowed_roles: Arc<AllowedRoles>,
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

    /// Whether this record's list, read at the same time, is known already.
    pub(super) fn has(&self, namespace: &NamespaceRecord) -> bool {
        let all = self.by_name.load();
        let known = all.get(&namespace.name);
        known.is_some_and(|known| Arc::ptr_eq(&known.allowed_roles, &namespace.allowed_roles))
    }

    /// Number of namespaces whose annotation lists roles.
    pub fn with_lists(&self) -> usize {
        let all = self.by_name.load();
        all.values().filter(|namespace| namespace.has_list()).count()
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
    /// Reads a namespace; none if it has no name, which no stored namespace lacks. A list that is the same as in
    /// `known` is not read again.
    pub fn read(namespace: &Namespace, key: &str, format: RestrictionFormat, known: &Namespaces) -> Option<Self> {
        let metadata = &namespace.metadata;
        let name = metadata.name.clone()?;
        let annotation = metadata.annotations.as_ref().and_then(|all| all.get(key));
        let annotation = annotation.map(String::as_str);
        let all = known.by_name.load();
        let before = all.get(&name).map(|record| &record.allowed_roles);
        let allowed_roles = match before.filter(|before| before.annotation() == annotation) {
            Some(before) => before.clone(),
            None => Arc::new(AllowedRoles::read(annotation, format)),
        };
        Some(Self { name, allowed_roles })
    }

    /// Whether the annotation is there and says anything.
    pub fn has_list(&self) -> bool {
        let annotation = self.allowed_roles.annotation();
        annotation.is_some_and(|text| !text.trim().is_empty())
    }
}
