use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use iam_policy::Policy;
use jiff::Timestamp;

use crate::Secret;

/// Session keys remembered. Past it the oldest is forgotten and then unknown, no longer expired.
const SESSIONS: usize = 100_000;

/// One access key the front accepts (or accepted, until it expired or was switched off).
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) status: KeyStatus,
    pub(crate) owner: KeyOwner,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStatus {
    Active,
    Inactive,
}

#[derive(Clone, Debug)]
pub(crate) enum KeyOwner {
    Root,
    User { name: String, arn: String, id: String },
    Session(Arc<Session>),
}

/// One assumption of a role.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) role_name: String,
    pub(crate) role_arn: String,
    /// The role's unique id: a role that was deleted and made again is another one, and this session is then void.
    pub(crate) role_id: String,
    pub(crate) name: String,
    pub(crate) token: Secret,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    /// Session policies by name, which can only narrow.
    pub(crate) policies: Vec<(String, Arc<Policy>)>,
    /// The instance the session was issued to, if by the metadata service.
    pub(crate) instance: Option<String>,
}

/// All keys, by id.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    by_id: HashMap<String, Key>,
    sessions: VecDeque<String>,
}

// === impl Session ===

impl Session {
    /// `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`; the role's path is not part of it.
    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:sts::{account}:assumed-role/{}/{}", self.role_name, self.name)
    }
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
        if matches!(key.owner, KeyOwner::Session(_)) {
            if self.sessions.len() >= SESSIONS
                && let Some(oldest) = self.sessions.pop_front()
            {
                self.by_id.remove(&oldest);
            }
            self.sessions.push_back(key.id.clone());
        }
        self.by_id.insert(key.id.clone(), key);
    }

    /// The keys of a user, in the order they were made.
    pub(crate) fn of_user(&self, user: &str) -> Vec<&Key> {
        let mut keys: Vec<&Key> = self
            .by_id
            .values()
            .filter(|key| matches!(&key.owner, KeyOwner::User { name, .. } if name == user))
            .collect();
        keys.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        keys
    }
}
