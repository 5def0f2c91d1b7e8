//! What the memory backend holds: everything behind one lock that is held shortly ([`SharedState`]).

mod bucket;
mod document;
mod group;
mod iam;
mod oidc_provider;
mod permissions;
mod propagation;
mod role;
mod shared;
mod upload;
mod user;

use std::{
    collections::BTreeMap,
    ops::{Index, IndexMut},
};

use jiff::Timestamp;

use crate::{
    front::{Account, Ec2Instance, Settings},
    identity::{Identity, Key, KeyStatus, Keys},
};

pub(crate) use bucket::{Bucket, Object};
pub(crate) use document::{Document, ManagedPolicy, PolicyVersion};
pub(crate) use group::Group;
pub(crate) use iam::Iam;
pub(crate) use oidc_provider::OidcProvider;
pub(crate) use permissions::{Attached, Inline, Permissions};
pub(crate) use role::{InstanceProfile, Role};
pub(crate) use shared::SharedState;
pub(crate) use upload::{Part, Upload};
pub(crate) use user::User;

/// Tags in the order they were given.
pub(crate) type Tags = Vec<(String, String)>;

/// All accounts, and what lies across them: the keys, the buckets, the instances.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) keys: Keys,
    /// The names of buckets are global; each has an owner.
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// The instances of the main account, and since when they run.
    pub(crate) instances: Vec<(Ec2Instance, Timestamp)>,
    /// By [`AccountRef`]; the main account is the first.
    accounts: Vec<Iam>,
    propagation: propagation::Propagation,
}

/// An account of a [`State`], to index it with. They are made by the state alone and accounts are never taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountRef(usize);

// === impl AccountRef ===

impl AccountRef {
    /// The main account, which every state has.
    pub(crate) const MAIN: Self = Self(0);

    /// Its place among the accounts; the main account is the first.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

// === impl State ===

impl State {
    /// Empty accounts that know their root keys.
    pub(crate) fn new(settings: &Settings, others: &[Account], now: Timestamp) -> Self {
        let main = (&settings.account, &settings.root);
        let others = others.iter().map(|account| (&account.id, &account.root));
        let mut keys = Keys::default();
        let mut accounts = Vec::new();
        for (id, root) in std::iter::once(main).chain(others) {
            keys.add(Key {
                id: root.id.clone(),
                secret: root.secret.clone().into(),
                status: KeyStatus::Active,
                account: AccountRef(accounts.len()),
                identity: Identity::Root,
                session: None,
                created: now,
                caller: Default::default(),
            });
            accounts.push(Iam::new(id));
        }
        Self {
            keys,
            buckets: BTreeMap::new(),
            instances: Vec::new(),
            accounts,
            propagation: propagation::Propagation::default(),
        }
    }

    /// Replaces the instances; one that was there keeps its launch time.
    pub(crate) fn set_instances(&mut self, instances: Vec<Ec2Instance>, now: Timestamp) {
        let since = |id: &str| {
            let known = self.instances.iter().find(|(known, _)| known.instance_id == id);
            known.map_or(now, |(_, since)| *since)
        };
        self.instances = instances
            .into_iter()
            .map(|instance| {
                let since = since(&instance.instance_id);
                (instance, since)
            })
            .collect();
    }

    /// The account of the [`Settings`].
    pub(crate) fn main(&self) -> AccountRef {
        AccountRef::MAIN
    }

    /// All accounts with their ids.
    pub(crate) fn accounts(&self) -> Vec<(AccountRef, String)> {
        let ids = self.accounts.iter().map(|iam| iam.account.clone());
        ids.enumerate().map(|(at, id)| (AccountRef(at), id)).collect()
    }

    /// The account with this id.
    pub(crate) fn account(&self, id: &str) -> Option<AccountRef> {
        self.accounts.iter().position(|iam| iam.account == id).map(AccountRef)
    }

    /// The account that an ARN names.
    pub(crate) fn account_of_arn(&self, arn: &str) -> Option<AccountRef> {
        self.account(arn.split(':').nth(4)?)
    }
}

impl Index<AccountRef> for State {
    type Output = Iam;

    fn index(&self, account: AccountRef) -> &Iam {
        &self.accounts[account.0]
    }
}

impl IndexMut<AccountRef> for State {
    fn index_mut(&mut self, account: AccountRef) -> &mut Iam {
        &mut self.accounts[account.0]
    }
}
