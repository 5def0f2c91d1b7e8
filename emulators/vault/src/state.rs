//! All that a server knows, in memory.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::{
    lease::Leases,
    mint,
    mount::{Backend, Mounts},
    policy::{self, Acl, Policy},
    settings::{Settings, Start},
    sys::Seal,
    token::{Token, Tokens},
};

/// See the module.
pub(crate) struct State {
    pub(crate) seal: Seal,
    pub(crate) mounts: Mounts,
    pub(crate) policies: BTreeMap<String, Policy>,
    pub(crate) tokens: Tokens,
    pub(crate) leases: Leases,
    /// Private entries of tokens, by token and path.
    pub(crate) cubbyholes: HashMap<String, BTreeMap<String, Map<String, Value>>>,
    /// Entities, by the mount's accessor and the alias.
    pub(crate) entities: HashMap<(String, String), String>,
}

// === impl State ===

impl State {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut policies = BTreeMap::new();
        for (name, text) in [
            ("default", policy::DEFAULT),
            ("response-wrapping", policy::RESPONSE_WRAPPING),
        ] {
            if let Ok(policy) = policy::parse(text) {
                policies.insert(name.to_owned(), policy);
            }
        }
        let mut state = Self {
            seal: Seal::new(),
            mounts: Mounts::new(),
            policies,
            tokens: Tokens::default(),
            leases: Leases::default(),
            cubbyholes: HashMap::new(),
            entities: HashMap::new(),
        };
        if let Start::Dev { root_token } = &settings.start {
            state.seal.init(1, 1);
            state.seal.open();
            let root = Token::root(settings.clock.wall());
            state.tokens.add(root_token.expose_secret().to_owned(), root);
        }
        state
    }

    /// The token, if it lives. A token that has outlived its time is as good as none, whether or not it was already ended.
    pub(crate) fn live_token(&self, token: &str, now: Timestamp) -> Option<&Token> {
        self.tokens.get(token).filter(|found| found.lives(now))
    }

    /// What these policies together allow.
    pub(crate) fn acl(&self, policies: &[String]) -> Acl {
        if policies.iter().any(|name| name == "root") {
            return Acl::root();
        }
        Acl::of(policies.iter().filter_map(|name| self.policies.get(name)))
    }

    /// The entity of an alias; a new one if it was never seen.
    pub(crate) fn entity(&mut self, accessor: &str, alias: &str) -> String {
        let key = (accessor.to_owned(), alias.to_owned());
        self.entities.entry(key).or_insert_with(mint::uuid).clone()
    }

    /// Ends a token, its children and all their leases. The leases that have something in AWS are left to the reaper.
    pub(crate) fn end_token(&mut self, token: &str, now: Timestamp) {
        for ended in self.tokens.remove_tree(token) {
            self.cubbyholes.remove(&ended);
            self.leases.end_of_token(&ended, now);
        }
    }

    /// Ends one token alone; its children live on as orphans.
    pub(crate) fn end_token_alone(&mut self, token: &str, now: Timestamp) {
        self.tokens.remove_alone(token);
        self.cubbyholes.remove(token);
        self.leases.end_of_token(token, now);
    }

    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        let mut secrets: Vec<SecretString> = self.tokens.tokens().map(SecretString::from).collect();
        secrets.extend(self.seal.shares().iter().map(|share| SecretString::from(share.clone())));
        secrets.extend(self.leases.secrets());
        for mount in self.mounts.all() {
            match &mount.backend {
                Backend::Aws(aws) => secrets.extend(aws.root.as_ref().map(|root| root.secret_key.clone())),
                Backend::Kubernetes(kubernetes) => {
                    secrets.extend(
                        kubernetes
                            .config
                            .as_ref()
                            .and_then(|config| config.reviewer_jwt.clone()),
                    );
                }
                _ => {}
            }
        }
        secrets.retain(|secret| !secret.expose_secret().is_empty());
        secrets
    }
}
