use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
};

use iam_policy::Policy;
use jiff::Timestamp;

use super::{Caller, Identity, UserRef};
use crate::{Secret, auth::SigningSecret, state::AccountRef};

/// Session keys remembered. Past it the oldest is forgotten and then unknown, no longer expired.
const SESSIONS: usize = 100_000;

/// One access key the front accepts (or accepted, until it expired or was switched off).
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: SigningSecret,
    pub(crate) status: KeyStatus,
    /// The account it belongs to.
    pub(crate) account: AccountRef,
    /// Whose it is; never [`Identity::Anonymous`].
    pub(crate) identity: Identity,
    /// None for a long-lived key.
    pub(crate) session: Option<Arc<Session>>,
    pub(crate) created: Timestamp,
    /// What the journal says of whoever signs with it; written at its first request, of what does not change in a key.
    pub(crate) caller: OnceLock<Arc<Caller>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStatus {
    Active,
    Inactive,
}

/// What makes a key a temporary one.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) token: Secret,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    /// Session policies by name, which can only narrow.
    pub(crate) policies: Vec<(String, Arc<Policy>)>,
}

/// All keys of all accounts, by id.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    by_id: HashMap<String, Key>,
    sessions: VecDeque<String>,
}

// === impl Keys ===

impl Keys {
    pub(crate) fn get(&self, id: &str) -> Option<&Key> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Key> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    pub(crate) fn add(&mut self, key: Key) {
        if key.session.is_some() {
            if self.sessions.len() >= SESSIONS
                && let Some(oldest) = self.sessions.pop_front()
            {
                self.by_id.remove(&oldest);
            }
            self.sessions.push_back(key.id.clone());
        }
        self.by_id.insert(key.id.clone(), key);
    }

    /// Gives a session other keys.
    pub(crate) fn replace_session(&mut self, old: &str, id: &str, secret: &str, token: &str) {
        let Some(key) = self.by_id.remove(old) else { return };
        self.sessions.retain(|known| known != old);
        let session = key.session.as_ref().map(|session| {
            Arc::new(Session {
                token: token.into(),
                issued: session.issued,
                expires: session.expires,
                policies: session.policies.clone(),
            })
        });
        self.add(Key {
            id: id.to_owned(),
            secret: Secret::from(secret).into(),
            session,
            caller: OnceLock::new(),
            ..key
        });
    }

    /// Every secret access key and session token that is known.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let secrets = self.by_id.values().flat_map(|key| {
            let token = key.session.as_ref().map(|session| session.token.clone());
            [Some(key.secret.secret().clone()), token]
        });
        secrets.flatten().collect()
    }

    /// The long-lived keys of a user, in the order they were made.
    pub(crate) fn of_user(&self, account: AccountRef, user: &str) -> Vec<&Key> {
        let mut keys: Vec<&Key> = self.by_id.values().filter(|key| key.is_of(account, user)).collect();
        keys.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        keys
    }
}

// === impl Key ===

impl Key {
    /// Says that its user has another name now.
    pub(crate) fn set_user(&mut self, user: UserRef) {
        self.identity = Identity::User(user.into());
        self.caller = OnceLock::new();
    }

    /// Whether it is a long-lived key of this user.
    pub(crate) fn is_of(&self, account: AccountRef, user: &str) -> bool {
        let owned = matches!(&self.identity, Identity::User(of) if of.name == user);
        owned && self.session.is_none() && self.account == account
    }
}
