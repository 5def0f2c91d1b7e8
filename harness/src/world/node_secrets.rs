//! What a node's metadata service holds and no pod may see.

use std::sync::{Mutex, PoisonError};

use rolecall_imds::{Credentials, Instance};

use crate::secrets::learn;

/// Everything secret that a node's metadata service holds: `what it is`, and its value.
#[derive(Default)]
pub(crate) struct NodeSecrets(Mutex<Vec<(String, String)>>);

// === impl NodeSecrets ===

impl NodeSecrets {
    /// Something secret, and what it is.
    pub(crate) fn remember(&self, what: &str, value: &str) {
        // A key's id is no secret by itself; reports show it shortened.
        if value.len() > 20 {
            learn(value);
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !value.is_empty() && known.iter().all(|(_, old)| old != value) {
            known.push((what.to_owned(), value.to_owned()));
        }
    }

    /// What an instance holds that is not its role's.
    pub(crate) fn remember_instance(&self, instance: &Instance) {
        self.remember("user data", &instance.user_data);
        self.remember_credentials("identity credentials", &instance.identity_credentials);
    }

    /// Keys of a node, and what they are.
    pub(crate) fn remember_credentials(&self, what: &str, keys: &Credentials) {
        for value in [&keys.access_key_id, &keys.secret_access_key, &keys.token] {
            self.remember(what, value);
        }
    }

    /// What kinds of secrets an answer holds. What was sent is no leak.
    pub(crate) fn within(&self, text: &str, sent: &str) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<String> = known
            .iter()
            .filter(|(_, value)| text.contains(value) && !sent.contains(value))
            .map(|(what, _)| what.clone())
            .collect();
        found.dedup();
        found
    }
}
