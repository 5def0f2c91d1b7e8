use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::watch;

use super::{
    Change, Compacted, Resource,
    history::History,
    object::{set, with_version},
};

/// Where an object is kept; the namespace is empty for what is of the cluster as a whole. Ordered as lists are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Key {
    pub(crate) resource: Resource,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Objects by their key, as they are at one version.
pub(crate) type Objects = BTreeMap<Key, Arc<Value>>;

/// Everything kept, at its current version.
#[derive(Debug)]
pub(crate) struct State {
    version: u64,
    objects: Objects,
    /// What only an observer who sees everything is shown; there may be no such object.
    hidden: BTreeSet<Key>,
    history: History,
}

/// The state behind its lock, and the signals that it has changed and that watches are to end.
#[derive(Debug)]
pub(crate) struct Store {
    state: Mutex<State>,
    published: watch::Sender<u64>,
    watches: watch::Sender<u64>,
}

// === impl Key ===

impl Key {
    pub(crate) fn new(resource: Resource, namespace: &str, name: &str) -> Self {
        Self {
            resource,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

// === impl State ===

impl State {
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// All objects of a resource, of one namespace or (with none) of all, in order.
    pub(crate) fn list<'a>(
        &'a self,
        resource: Resource,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        let start = Key::new(resource, namespace.unwrap_or_default(), "");
        self.objects
            .range(start..)
            .take_while(move |(key, _)| key.resource == resource && namespace.is_none_or(|n| key.namespace == n))
    }

    /// Makes or replaces an object under the next version. A change is written to the history before anybody can
    /// read the object, because both happen under one lock.
    pub(crate) fn put(&mut self, key: Key, mut object: Value) -> Arc<Value> {
        self.version += 1;
        set(&mut object, &["metadata", "resourceVersion"], self.version.to_string());
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), object.clone());
        let hidden = self.is_hidden(&key);
        self.history.push(Change {
            version: self.version,
            key,
            before,
            after: Some(object.clone()),
            hidden: (hidden, hidden),
        });
        object
    }

    pub(crate) fn is_hidden(&self, key: &Key) -> bool {
        self.hidden.contains(key)
    }

    /// Hides an object, or shows it again. The object itself does not change, and to who sees everything nothing
    /// happens; the others' watches see it go or come.
    pub(crate) fn set_hidden(&mut self, key: &Key, hidden: bool) {
        let changed = if hidden {
            self.hidden.insert(key.clone())
        } else {
            self.hidden.remove(key)
        };
        if let Some(object) = self.objects.get(key).filter(|_| changed) {
            self.version += 1;
            self.history.push(Change {
                version: self.version,
                key: key.clone(),
                before: Some(object.clone()),
                after: Some(object.clone()),
                hidden: (!hidden, hidden),
            });
        }
    }

    /// Removes an object under the next version and gives it back under that version.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        self.version += 1;
        let last = Arc::new(with_version(&before, self.version));
        let hidden = self.is_hidden(key);
        self.history.push(Change {
            version: self.version,
            key: key.clone(),
            before: Some(before),
            after: None,
            hidden: (hidden, hidden),
        });
        Some(last)
    }

    /// The objects of a resource as they were at `version`, by undoing what came after.
    pub(crate) fn at(&self, resource: Resource, version: u64) -> Result<Objects, Compacted> {
        let mut objects: Objects = self
            .list(resource, None)
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect();
        if version >= self.version {
            return Ok(objects);
        }
        for change in self.history.after(version)?.rev() {
            if change.key.resource != resource {
                continue;
            }
            match &change.before {
                Some(before) => objects.insert(change.key.clone(), before.clone()),
                None => objects.remove(&change.key),
            };
        }
        Ok(objects)
    }
}

// === impl Store ===

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                // An empty list has a version too, and 0 means "any" to a client.
                version: 1,
                objects: Objects::new(),
                hidden: BTreeSet::new(),
                history: History::default(),
            }),
            published: watch::Sender::new(1),
            watches: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read<R>(&self, f: impl FnOnce(&State) -> R) -> R {
        f(&self.lock())
    }

    /// Runs one transaction and wakes the watches if it has written.
    pub(crate) fn write<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = f(&mut state);
        let version = state.version;
        drop(state);
        self.published.send_if_modified(|seen| {
            let newer = version > *seen;
            *seen = version.max(*seen);
            newer
        });
        result
    }

    /// The changes after `version`, and the version that is current now.
    pub(crate) fn changes_after(&self, version: u64) -> Result<(Vec<Arc<Change>>, u64), Compacted> {
        let state = self.lock();
        let changes = state.history.after(version)?.cloned().collect();
        Ok((changes, state.version))
    }

    /// Wakes with every write.
    pub(crate) fn published(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    /// Wakes when open watches are to end.
    pub(crate) fn watches(&self) -> watch::Receiver<u64> {
        self.watches.subscribe()
    }

    pub(crate) fn drop_watches(&self) {
        self.watches.send_modify(|generation| *generation += 1);
    }

    pub(crate) fn compact(&self) {
        let mut state = self.lock();
        let version = state.version;
        state.history.compact(version);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(state: &mut State, name: &str) {
        let key = Key::new(Resource::Pods, "default", name);
        state.put(key, json!({"metadata": {"name": name}}));
    }

    fn names(objects: &Objects) -> Vec<&str> {
        objects.keys().map(|key| key.name.as_str()).collect()
    }

    #[test]
    fn an_older_version_is_read_by_undoing_what_came_after() {
        let store = Store::new();
        store.write(|state| pod(state, "a"));
        let version = store.read(State::version);
        store.write(|state| {
            pod(state, "b");
            state.remove(&Key::new(Resource::Pods, "default", "a"));
        });
        let (old, new) = store.read(|state| {
            let at = |version| state.at(Resource::Pods, version).expect("not compacted");
            (at(version), at(state.version()))
        });
        assert_eq!(names(&old), ["a"]);
        assert_eq!(names(&new), ["b"]);
    }

    #[test]
    fn a_compacted_version_can_neither_be_listed_nor_watched_but_the_current_one_can() {
        let store = Store::new();
        store.write(|state| pod(state, "a"));
        let old = store.read(State::version);
        store.write(|state| pod(state, "b"));
        store.compact();
        let now = store.read(State::version);
        assert_eq!(store.changes_after(old).unwrap_err(), Compacted { oldest: now });
        assert!(store.read(|state| state.at(Resource::Pods, old)).is_err());
        assert!(store.changes_after(now).is_ok());
    }

    #[test]
    fn the_history_is_bounded() {
        let store = Store::new();
        let first = store.read(State::version);
        store.write(|state| (0..10_000).for_each(|_| pod(state, "a")));
        assert!(store.changes_after(first).is_ok());
        store.write(|state| pod(state, "a"));
        assert!(store.changes_after(first).is_err());
    }
}
