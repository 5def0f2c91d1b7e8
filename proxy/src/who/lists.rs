//! What is done with namespaces and their lists of allowed roles.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use k8s_openapi::api::core::v1::Namespace;
use tracing::warn;

use super::{NamespaceRecord, Namespaces, follow::Follower};
use crate::may::RestrictionFormat;

/// How the lists of namespaces are read, and whether they count.
#[derive(Clone, Debug)]
pub struct Lists {
    /// The annotation that holds them.
    pub key: String,
    /// How their entries are read.
    pub format: RestrictionFormat,
    /// Whether they limit anything. If they do not, namespaces are watched nevertheless, to warn of lists that look as
    /// if they did.
    pub restrict: bool,
}

pub(super) struct NamespaceFollower {
    lists: Lists,
    namespaces: Arc<Namespaces>,
    /// Namespaces that were warned of: once is enough.
    warned: Mutex<HashSet<String>>,
}

impl NamespaceFollower {
    pub(super) fn new(lists: Lists, namespaces: Arc<Namespaces>) -> Self {
        Self {
            lists,
            namespaces,
            warned: Mutex::default(),
        }
    }

    fn warn_of_a_list_that_does_nothing(&self, namespace: &NamespaceRecord) {
        let first = || {
            let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
            warned.insert(namespace.name.clone())
        };
        if !self.lists.restrict && namespace.has_list() && first() {
            warn!(
                namespace = namespace.name,
                annotation = self.lists.key,
                "the namespace lists allowed roles, and that has no effect: start with --namespace-restrictions"
            );
        }
    }

    /// Once for each text of the annotation: a list that has not changed is the one that is known already.
    fn warn_of_entries_that_cannot_be_used(&self, namespace: &NamespaceRecord) {
        if !self.lists.restrict || self.namespaces.has(namespace) {
            return;
        }
        for problem in namespace.allowed_roles.problems() {
            warn!(
                namespace = namespace.name,
                annotation = self.lists.key,
                problem,
                "an entry of the namespace's list of allowed roles cannot be used, and allows nothing"
            );
        }
    }
}

impl Follower<Namespace> for NamespaceFollower {
    type Record = NamespaceRecord;

    fn read(&self, namespace: &Namespace) -> Option<NamespaceRecord> {
        NamespaceRecord::read(namespace, &self.lists.key, self.lists.format, &self.namespaces)
    }

    fn apply(&self, namespace: NamespaceRecord) {
        self.warn_of_a_list_that_does_nothing(&namespace);
        self.warn_of_entries_that_cannot_be_used(&namespace);
        self.namespaces.apply(namespace);
    }

    fn remove(&self, namespace: NamespaceRecord) {
        self.namespaces.remove(&namespace.name);
    }

    fn replace(&self, namespaces: Vec<NamespaceRecord>) {
        for namespace in &namespaces {
            self.warn_of_a_list_that_does_nothing(namespace);
            self.warn_of_entries_that_cannot_be_used(namespace);
        }
        self.namespaces.replace(namespaces);
    }
}
