use std::sync::Arc;

use serde_json::Value;

use super::{Change, FieldSelector, Key, LabelSelector, Resource, object::with_version};

/// What a list or a watch looks at.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) resource: Resource,
    /// One namespace, or all.
    pub(crate) namespace: Option<String>,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
    /// Whether it includes what is hidden.
    pub(crate) hidden: bool,
}

/// What a change means to one selection.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) object: Arc<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EventKind {
    Added,
    Modified,
    Deleted,
}

// === impl Selection ===

impl Selection {
    /// Whether an object is in the selection; `hidden` says whether the object is.
    pub(crate) fn contains(&self, key: &Key, object: &Value, hidden: bool) -> bool {
        (self.hidden || !hidden)
            && key.resource == self.resource
            && self.namespace.as_ref().is_none_or(|n| *n == key.namespace)
            && self.labels.matches(object)
            && self.fields.matches(object)
    }

    /// An object that leaves the selection is deleted to whoever watches it, with its last state inside the
    /// selection and the version of the change; one that enters it is added, under that version too.
    pub(crate) fn event(&self, change: &Change) -> Option<Event> {
        let inside = |hidden| move |object: &&Arc<Value>| self.contains(&change.key, object, hidden);
        let before = change.before.as_ref().filter(inside(change.hidden.0));
        let after = change.after.as_ref().filter(inside(change.hidden.1));
        let uncovered = change.hidden.0 != change.hidden.1;
        let (kind, object) = match (before, after) {
            (None, None) => return None,
            (Some(_), Some(_)) if uncovered => return None,
            (None, Some(after)) if uncovered => (EventKind::Added, Arc::new(with_version(after, change.version))),
            (None, Some(after)) => (EventKind::Added, after.clone()),
            (Some(_), Some(after)) => (EventKind::Modified, after.clone()),
            (Some(before), None) => (EventKind::Deleted, Arc::new(with_version(before, change.version))),
        };
        Some(Event { kind, object })
    }
}

// === impl EventKind ===

impl EventKind {
    /// The word on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}
