use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

/// Tries to end a lease in the background, after which it is left alone.
const TRIES: u32 = 6;
/// The pause after the first failed try; it doubles.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// What a lease stands for.
#[derive(Clone, Debug)]
pub(crate) enum Secret {
    /// A user that is deleted when the lease ends.
    IamUser {
        name: String,
        /// The secret key, to be hidden wherever it shows.
        key: SecretString,
    },
    /// Keys that end by themselves; nobody can end them before.
    Sts {
        /// The secret key and the session token, to be hidden wherever they show.
        keys: [SecretString; 2],
    },
}

/// One lease.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    /// The path of the engine, such as `aws/`.
    pub(crate) mount: String,
    /// The token it was given to.
    pub(crate) token: String,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) renewed: Option<Timestamp>,
    pub(crate) secret: Secret,
    /// Failed tries to end it.
    tries: u32,
    /// Somebody is ending it.
    ending: bool,
}

/// The leases that live, in the order of their ids and of their ends.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    by_id: BTreeMap<String, Lease>,
    by_end: BTreeSet<(Timestamp, String)>,
    by_token: HashMap<String, BTreeSet<String>>,
    /// Leases that somebody is ending.
    ending: usize,
}

// === impl Lease ===

impl Lease {
    pub(crate) fn new(mount: &str, token: &str, issued: Timestamp, ttl: SignedDuration, secret: Secret) -> Self {
        Self {
            mount: mount.to_owned(),
            token: token.to_owned(),
            issued,
            expires: issued.saturating_add(ttl).unwrap_or(Timestamp::MAX),
            renewed: None,
            secret,
            tries: 0,
            ending: false,
        }
    }

    pub(crate) fn renewable(&self) -> bool {
        matches!(self.secret, Secret::IamUser { .. })
    }
}

// === impl Leases ===

impl Leases {
    pub(crate) fn add(&mut self, id: String, lease: Lease) {
        self.by_end.insert((lease.expires, id.clone()));
        self.by_token.entry(lease.token.clone()).or_default().insert(id.clone());
        self.by_id.insert(id, lease);
    }

    /// A lease whose time is not over, though it may be about to end.
    pub(crate) fn get(&self, id: &str, now: Timestamp) -> Option<&Lease> {
        self.by_id.get(id).filter(|lease| lease.expires > now)
    }

    /// A lease, also one that is over and was not yet ended.
    pub(crate) fn any(&self, id: &str) -> Option<&Lease> {
        self.by_id.get(id)
    }

    pub(crate) fn remove(&mut self, id: &str) {
        let Some(lease) = self.by_id.remove(id) else { return };
        if lease.ending {
            self.ending = self.ending.saturating_sub(1);
        }
        self.by_end.remove(&(lease.expires, id.to_owned()));
        if let Some(own) = self.by_token.get_mut(&lease.token) {
            own.remove(id);
            if own.is_empty() {
                self.by_token.remove(&lease.token);
            }
        }
    }

    /// Moves the end of a lease.
    pub(crate) fn set_end(&mut self, id: &str, expires: Timestamp, renewed: Option<Timestamp>) {
        let Some(lease) = self.by_id.get_mut(id) else { return };
        self.by_end.remove(&(lease.expires, id.to_owned()));
        lease.expires = expires;
        lease.renewed = renewed.or(lease.renewed);
        self.by_end.insert((expires, id.to_owned()));
    }

    /// Lets all leases of a token be over now.
    pub(crate) fn end_of_token(&mut self, token: &str, now: Timestamp) {
        for id in self.by_token.get(token).cloned().unwrap_or_default() {
            if matches!(self.by_id.get(&id).map(|lease| &lease.secret), Some(Secret::Sts { .. })) {
                self.remove(&id);
            } else {
                self.set_end(&id, now, None);
            }
        }
    }

    /// Takes a lease that is over, so that nobody else ends it too. Those without anything in AWS just go.
    pub(crate) fn take_over(&mut self, now: Timestamp) -> Option<(String, Lease)> {
        loop {
            let (end, id) = self.by_end.first().cloned()?;
            if end > now {
                return None;
            }
            self.by_end.pop_first();
            let Some(lease) = self.by_id.get_mut(&id) else { continue };
            if matches!(lease.secret, Secret::Sts { .. }) {
                self.remove(&id);
                continue;
            }
            if lease.ending {
                continue;
            }
            lease.ending = true;
            self.ending += 1;
            return Some((id, lease.clone()));
        }
    }

    /// A try to end a lease has failed: it is tried again after a while, in all six times.
    pub(crate) fn failed(&mut self, id: &str, now: Timestamp) {
        let Some(lease) = self.by_id.get_mut(id) else { return };
        if std::mem::take(&mut lease.ending) {
            self.ending = self.ending.saturating_sub(1);
        }
        lease.tries += 1;
        if lease.tries >= TRIES {
            // Irrevocable: it stays, and only force removes it.
            return;
        }
        let pause = PAUSE * 2_i32.pow(lease.tries - 1);
        let again = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
        self.by_end.insert((again, id.to_owned()));
    }

    /// Whether somebody is ending a lease just now.
    pub(crate) fn are_ending(&self) -> bool {
        self.ending > 0
    }

    /// The ids below a prefix.
    pub(crate) fn below(&self, prefix: &str) -> Vec<String> {
        let from = self.by_id.range(prefix.to_owned()..);
        from.map(|(id, _)| id)
            .take_while(|id| id.starts_with(prefix))
            .cloned()
            .collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.by_id.keys().cloned().collect()
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = SecretString> {
        self.by_id.values().flat_map(|lease| match &lease.secret {
            Secret::IamUser { key, .. } => vec![key.clone()],
            Secret::Sts { keys } => keys.to_vec(),
        })
    }
}
