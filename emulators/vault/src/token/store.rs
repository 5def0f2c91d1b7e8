use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::mint;

/// What is known of a token, besides the token itself.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) accessor: String,
    pub(crate) policies: Vec<String>,
    pub(crate) display_name: String,
    /// The path that made it, such as `auth/kubernetes/login`.
    pub(crate) path: String,
    pub(crate) meta: Option<BTreeMap<String, String>>,
    pub(crate) entity: String,
    pub(crate) parent: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) creation_ttl: SignedDuration,
    /// None for one that never ends.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) renewed: Option<Timestamp>,
    pub(crate) renewable: bool,
    /// Uses left; none for any number.
    pub(crate) uses: Option<u32>,
    pub(crate) period: SignedDuration,
    pub(crate) explicit_max: SignedDuration,
    /// For an auth method's token: its role's `token_ttl` and `token_max_ttl`.
    pub(crate) role_ttls: (SignedDuration, SignedDuration),
    /// The answer that a wrapping token stands for, and the path that gave it.
    pub(crate) wrapped: Option<Box<(Value, String)>>,
}

/// The tokens that live.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    by_token: HashMap<String, Token>,
    by_accessor: BTreeMap<String, String>,
    by_end: BTreeSet<(Timestamp, String)>,
    children: HashMap<String, BTreeSet<String>>,
}

// === impl Token ===

impl Token {
    /// One that may do all and never ends.
    pub(crate) fn root(now: Timestamp) -> Self {
        Self {
            accessor: mint::accessor(),
            policies: vec!["root".to_owned()],
            display_name: "root".to_owned(),
            path: "auth/token/root".to_owned(),
            meta: None,
            entity: String::new(),
            parent: None,
            created: now,
            creation_ttl: SignedDuration::ZERO,
            expires: None,
            renewed: None,
            renewable: false,
            uses: None,
            period: SignedDuration::ZERO,
            explicit_max: SignedDuration::ZERO,
            role_ttls: (SignedDuration::ZERO, SignedDuration::ZERO),
            wrapped: None,
        }
    }

    pub(crate) fn lives(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end) && self.uses != Some(0)
    }

    /// The whole seconds that are left; zero for one that never ends.
    pub(crate) fn ttl(&self, now: Timestamp) -> i64 {
        self.expires.map_or(0, |end| end.duration_since(now).as_secs().max(0))
    }

    /// The data of a lookup. `id` is the token, or nothing for whoever asked by accessor.
    pub(crate) fn shown(&self, id: &str, now: Timestamp) -> Value {
        let mut shown = json!({
            "accessor": self.accessor,
            "creation_time": self.created.as_second(),
            "creation_ttl": self.creation_ttl.as_secs(),
            "display_name": self.display_name,
            "entity_id": self.entity,
            "expire_time": self.expires.map(|end| end.to_string()),
            "explicit_max_ttl": self.explicit_max.as_secs(),
            "id": id,
            "issue_time": self.created.to_string(),
            "meta": self.meta,
            "num_uses": self.uses.unwrap_or(0),
            "orphan": self.parent.is_none(),
            "path": self.path,
            "policies": self.policies,
            "renewable": self.renewable,
            "ttl": self.ttl(now),
            "type": "service",
        });
        if let (Some(at), Some(shown)) = (self.renewed, shown.as_object_mut()) {
            shown.insert("last_renewal".into(), json!(at.to_string()));
            shown.insert("last_renewal_time".into(), json!(at.as_second()));
        }
        if let (false, Some(shown)) = (self.period.is_zero(), shown.as_object_mut()) {
            shown.insert("period".into(), json!(self.period.as_secs()));
        }
        shown
    }

    /// The `auth` block of the answer that hands the token out.
    pub(crate) fn auth(&self, token: &str, now: Timestamp) -> Value {
        json!({
            "client_token": token,
            "accessor": self.accessor,
            "policies": self.policies,
            "token_policies": self.policies,
            "metadata": self.meta,
            "lease_duration": self.ttl(now),
            "renewable": self.renewable,
            "entity_id": self.entity,
            "token_type": "service",
            "orphan": self.parent.is_none(),
            "mfa_requirement": null,
            "num_uses": self.uses.unwrap_or(0),
        })
    }
}

// === impl Tokens ===

impl Tokens {
    pub(crate) fn add(&mut self, token: String, entry: Token) {
        if let Some(end) = entry.expires {
            self.by_end.insert((end, token.clone()));
        }
        if let Some(parent) = &entry.parent {
            self.children.entry(parent.clone()).or_default().insert(token.clone());
        }
        self.by_accessor.insert(entry.accessor.clone(), token.clone());
        self.by_token.insert(token, entry);
    }

    pub(crate) fn get(&self, token: &str) -> Option<&Token> {
        self.by_token.get(token)
    }

    pub(crate) fn by_accessor(&self, accessor: &str) -> Option<&str> {
        self.by_accessor.get(accessor).map(String::as_str)
    }

    pub(crate) fn accessors(&self) -> Vec<String> {
        self.by_accessor.keys().cloned().collect()
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = String> {
        self.by_token.keys().cloned()
    }

    pub(crate) fn count(&self) -> usize {
        self.by_token.len()
    }

    /// Uses a token once; tells whether that was the last time.
    pub(crate) fn take_use(&mut self, token: &str) -> bool {
        match self.by_token.get_mut(token).and_then(|entry| entry.uses.as_mut()) {
            Some(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
            None => false,
        }
    }

    /// Moves the end of a token.
    pub(crate) fn renew(&mut self, token: &str, end: Timestamp, now: Timestamp) {
        let Some(entry) = self.by_token.get_mut(token) else {
            return;
        };
        if let Some(old) = entry.expires.replace(end) {
            self.by_end.remove(&(old, token.to_owned()));
        }
        entry.renewed = Some(now);
        self.by_end.insert((end, token.to_owned()));
    }

    /// A token whose time is over.
    pub(crate) fn over(&self, now: Timestamp) -> Option<String> {
        let (end, token) = self.by_end.first()?;
        (*end <= now).then(|| token.clone())
    }

    /// Takes out a token and its children with theirs, and says which.
    pub(crate) fn remove_tree(&mut self, token: &str) -> Vec<String> {
        let mut ended = Vec::new();
        let mut open = vec![token.to_owned()];
        while let Some(token) = open.pop() {
            open.extend(self.children.remove(&token).unwrap_or_default());
            self.take_out(&token);
            ended.push(token);
        }
        ended
    }

    /// Takes out one token; its children become orphans.
    pub(crate) fn remove_alone(&mut self, token: &str) {
        for child in self.children.remove(token).unwrap_or_default() {
            if let Some(child) = self.by_token.get_mut(&child) {
                child.parent = None;
            }
        }
        self.take_out(token);
    }

    fn take_out(&mut self, token: &str) {
        let Some(entry) = self.by_token.remove(token) else {
            return;
        };
        self.by_accessor.remove(&entry.accessor);
        if let Some(end) = entry.expires {
            self.by_end.remove(&(end, token.to_owned()));
        }
        if let Some(siblings) = entry.parent.and_then(|parent| self.children.get_mut(&parent)) {
            siblings.remove(token);
        }
    }
}
