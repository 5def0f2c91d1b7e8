use std::{collections::VecDeque, sync::Arc};

use serde_json::Value;

use super::Key;

/// One write: an object before and after it. Made if there is no before, removed if there is no after.
#[derive(Debug)]
pub(crate) struct Change {
    /// The version that this write has made the current one.
    pub(crate) version: u64,
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Value>>,
    pub(crate) after: Option<Arc<Value>>,
    /// Whether the object was hidden before, and is after it.
    pub(crate) hidden: (bool, bool),
}

/// The last changes, oldest first. What has left it can be neither watched nor listed any more.
#[derive(Debug, Default)]
pub(crate) struct History {
    changes: VecDeque<Arc<Change>>,
    /// The version after which every change is still here.
    compacted: u64,
}

/// The asked version is older than the history reaches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Compacted {
    /// The oldest version from which a watch can still start.
    pub(crate) oldest: u64,
}

/// Changes kept before the oldest ones are forgotten.
const CAPACITY: usize = 10_000;

// === impl History ===

impl History {
    pub(super) fn push(&mut self, change: Change) {
        self.changes.push_back(Arc::new(change));
        if self.changes.len() > CAPACITY
            && let Some(forgotten) = self.changes.pop_front()
        {
            self.compacted = forgotten.version;
        }
    }

    /// Forgets every change up to `version`.
    pub(super) fn compact(&mut self, version: u64) {
        self.changes.retain(|change| change.version > version);
        self.compacted = self.compacted.max(version);
    }

    /// The changes after `version`, oldest first.
    pub(super) fn after(&self, version: u64) -> Result<impl DoubleEndedIterator<Item = &Arc<Change>>, Compacted> {
        if version < self.compacted {
            return Err(Compacted { oldest: self.compacted });
        }
        let start = self.changes.partition_point(|change| change.version <= version);
        Ok(self.changes.range(start..))
    }
}
