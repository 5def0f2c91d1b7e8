//! What the memory backend holds: everything behind one short-held lock, so that a check and its effect are one step.

mod bucket;
mod document;
mod permissions;
mod role;
mod user;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    front::Settings,
    identity::{Key, KeyOwner, KeyStatus, Keys},
    managed,
};

pub(crate) use bucket::{Bucket, Object};
pub(crate) use document::{Document, ManagedPolicy};
pub(crate) use permissions::{Attached, Inline, Permissions};
pub(crate) use role::{InstanceProfile, Role};
pub(crate) use user::User;

/// Tags in the order they were given.
pub(crate) type Tags = Vec<(String, String)>;

/// One account.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) account: String,
    pub(crate) keys: Keys,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) profiles: BTreeMap<String, InstanceProfile>,
    /// Managed policies by ARN, AWS's own among them.
    pub(crate) policies: BTreeMap<String, ManagedPolicy>,
    pub(crate) buckets: BTreeMap<String, Bucket>,
}

// === impl State ===

impl State {
    /// An empty account that knows the root key.
    pub(crate) fn new(settings: &Settings, now: Timestamp) -> Self {
        let mut keys = Keys::default();
        keys.add(Key {
            id: settings.root.id.clone(),
            secret: settings.root.secret.clone(),
            status: KeyStatus::Active,
            owner: KeyOwner::Root,
            created: now,
        });
        Self {
            account: settings.account.clone(),
            keys,
            roles: BTreeMap::new(),
            users: BTreeMap::new(),
            profiles: BTreeMap::new(),
            policies: managed::policies()
                .into_iter()
                .map(|policy| (policy.arn.clone(), policy))
                .collect(),
            buckets: BTreeMap::new(),
        }
    }

    /// The role with this ARN (path included), if it is in this account.
    pub(crate) fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        let name = arn.rsplit('/').next()?;
        self.roles.get(name).filter(|role| role.arn == arn)
    }

    /// How many roles and users a managed policy is attached to.
    pub(crate) fn attachments(&self, arn: &str) -> usize {
        let roles = self.roles.values().map(|role| &role.permissions);
        let users = self.users.values().map(|user| &user.permissions);
        roles
            .chain(users)
            .filter(|permissions| permissions.attached.iter().any(|a| a.arn == arn))
            .count()
    }

    /// How many roles and users have this policy as their boundary.
    pub(crate) fn boundaries(&self, arn: &str) -> usize {
        let roles = self.roles.values().map(|role| &role.permissions);
        let users = self.users.values().map(|user| &user.permissions);
        roles
            .chain(users)
            .filter(|permissions| permissions.boundary.as_ref().is_some_and(|b| b.arn == arn))
            .count()
    }
}
