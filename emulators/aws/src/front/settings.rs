use std::collections::HashSet;

use rolecall_clock::Clock;

use crate::{AccessKey, Upstream};

/// What a front is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account id, twelve digits.
    pub account: String,
    /// The region of requests that name none, such as `us-east-1`.
    pub region: String,
    /// The key of the account's root user, the only one known at the start.
    pub root: AccessKey,
    /// The world's clock: it decides expiry, and the age of a signature together with the real one.
    pub clock: Clock,
    /// Whether policy decides.
    pub enforcement: Enforcement,
    /// What stores and answers behind the front, such as LocalStack; none for the front's own memory.
    pub upstream: Option<Upstream>,
}

/// A further account of a front, with an IAM of its own.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account id, twelve digits.
    pub id: String,
    /// The key of its root user, the only one of it that is known at the start.
    pub root: AccessKey,
}

/// Why a front cannot have these accounts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// The id has another form.
    #[error("account id {0:?} is not twelve digits: give one such as 123456789012")]
    NotAnId(String),
    /// Two accounts have the same id.
    #[error("account {0} is there twice: give each account its own id")]
    SameId(String),
    /// Two accounts have the same root key.
    #[error("access key {0} is the root key of two accounts: give each account its own")]
    SameKey(String),
}

/// Whether a denial is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// Policy decides.
    On,
    /// Signatures are verified and decisions made and recorded, but a denial by policy lets the request pass and is said in
    /// the log ([`Verdict::LetThrough`](crate::Verdict::LetThrough)). Who has no valid key is refused all the same.
    Off,
}

// === impl Account ===

impl Account {
    /// Whether these and the main account can be told apart.
    pub(super) fn check(main: &Settings, others: &[Self]) -> Result<(), AccountsError> {
        let (mut ids, mut keys) = (HashSet::from([&main.account]), HashSet::from([&main.root.id]));
        for account in others {
            if account.id.len() != 12 || !account.id.bytes().all(|b| b.is_ascii_digit()) {
                return Err(AccountsError::NotAnId(account.id.clone()));
            }
            if !ids.insert(&account.id) {
                return Err(AccountsError::SameId(account.id.clone()));
            }
            if !keys.insert(&account.root.id) {
                return Err(AccountsError::SameKey(account.root.id.clone()));
            }
        }
        Ok(())
    }
}
