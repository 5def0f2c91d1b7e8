use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::state::AccountRef;

/// Something that can be made in the upstream, by its name or its ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    Bucket(String),
    Role(String),
    User(String),
    Group(String),
    Profile(String),
    /// By its ARN.
    Policy(String),
    /// By its ARN.
    OidcProvider(String),
    /// Of a user, and the key's id.
    Key(String, String),
    /// An inline policy of something that may have been there before: the operation that deletes it, the parameter that
    /// names what it hangs on, that name, the policy's.
    Inline(&'static str, &'static str, String, String),
    /// Likewise for an attached policy: its ARN is the last.
    Attached(&'static str, &'static str, String, String),
}

/// What passed the front was made, and not deleted since.
#[derive(Debug, Default)]
pub(super) struct Made(Mutex<BTreeSet<(AccountRef, Thing)>>);

// === impl Made ===

impl Made {
    pub(super) fn add(&self, account: AccountRef, thing: Thing) {
        self.things().insert((account, thing));
    }

    pub(super) fn remove(&self, account: AccountRef, thing: &Thing) {
        self.things().remove(&(account, thing.clone()));
    }

    /// Forgets what these were about, such as the keys of a user that is gone.
    pub(super) fn forget(&self, account: AccountRef, gone: impl Fn(&Thing) -> bool) {
        self.things().retain(|(of, thing)| *of != account || !gone(thing));
    }

    pub(super) fn all(&self) -> Vec<(AccountRef, Thing)> {
        self.things().iter().cloned().collect()
    }

    fn things(&self) -> MutexGuard<'_, BTreeSet<(AccountRef, Thing)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
