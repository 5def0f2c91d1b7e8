use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;

use super::State;

/// The state behind its lock: many requests read it at the same time, and what changes it has it alone, so that a check and
/// its effect are one step.
///
/// A panic elsewhere leaves no half-made change behind that would be worse than no answer at all: the lock is used on.
#[derive(Debug)]
pub(crate) struct SharedState(RwLock<State>);

// === impl SharedState ===

impl SharedState {
    pub(crate) fn new(state: State) -> Self {
        Self(RwLock::new(state))
    }

    /// To read it.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To read it once everything has arrived that is due.
    pub(crate) fn read_at(&self, now: Timestamp) -> RwLockReadGuard<'_, State> {
        let state = self.read();
        if state.is_settled(now) {
            return state;
        }
        drop(state);
        self.write().settle(now);
        self.read()
    }

    /// To change it.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
