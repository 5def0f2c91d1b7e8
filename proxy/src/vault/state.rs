use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::{entry::Entry, lease::Token};
use crate::{provider::ProviderError, which::VaultRole};

/// A pod's UID and the Vault role that it names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EntryKey {
    pub(super) uid: String,
    pub(super) role: VaultRole,
}

/// What is known of all pods. Behind one lock, which is held for moments only.
#[derive(Default)]
pub(super) struct State {
    pub(super) entries: HashMap<EntryKey, Entry>,
    /// Roles that gave an IAM user, and until when no pod's token asks for them again.
    pub(super) iam_users: HashMap<VaultRole, IamUserRole>,
    /// Tokens that could not be revoked because Vault could not be asked.
    pub(super) owed: Vec<Owed>,
    /// Nothing is fetched any more.
    pub(super) closed: bool,
    numbers: u64,
}

/// A role that gave an IAM user.
pub(super) struct IamUserRole {
    pub(super) error: Arc<ProviderError>,
    pub(super) until: Timestamp,
    pub(super) times: u32,
}

/// A token that is still to be revoked.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) token: Token,
    pub(super) whose: String,
    pub(super) not_before: Timestamp,
}

// === impl State ===

impl State {
    /// What is kept of this pod and role.
    pub(super) fn entry(&mut self, key: &EntryKey) -> &mut Entry {
        let numbers = &mut self.numbers;
        self.entries.entry(key.clone()).or_insert_with(|| {
            *numbers += 1;
            Entry::new(*numbers)
        })
    }

    /// Why a role is not asked for at `now`, if it gave an IAM user a while ago. How often is remembered for as long
    /// again.
    pub(super) fn iam_user(&mut self, role: &VaultRole, now: Timestamp) -> Option<Arc<ProviderError>> {
        let found = self.iam_users.get(role)?;
        Some(found.error.clone()).filter(|_| now < found.until)
    }
}
