use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Tokens whose owner is remembered.
const REMEMBERED: usize = 50_000;

/// Who has which token, as the answers that handed them out said, by the tokens' hashes.
#[derive(Default)]
pub(super) struct Names(Mutex<Known>);

#[derive(Default)]
struct Known {
    by_hash: HashMap<[u8; 32], String>,
    order: VecDeque<[u8; 32]>,
}

// === impl Names ===

impl Names {
    /// Whose a token is, if that was said.
    pub(super) fn of(&self, token: &str) -> Option<String> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.by_hash.get(&hash(token)).cloned()
    }

    /// Remembers whose a token is, where an answer says so.
    pub(super) fn learn(&self, path: &str, answer: &Value) {
        let looked_up = answer["data"]["id"]
            .as_str()
            .zip(answer["data"]["display_name"].as_str());
        let auth = &answer["auth"];
        let known = match (
            looked_up.filter(|_| path.starts_with("auth/token/lookup")),
            auth["client_token"].as_str(),
        ) {
            (Some((token, name)), _) => Some((token, name.to_owned())),
            (None, Some(token)) => {
                let meta = &auth["metadata"];
                let account = meta["service_account_namespace"]
                    .as_str()
                    .zip(meta["service_account_name"].as_str());
                let mount = path.strip_prefix("auth/").and_then(|path| path.strip_suffix("/login"));
                match (mount, account) {
                    (Some(mount), Some((namespace, name))) => {
                        Some((token, format!("{}-{namespace}-{name}", mount.replace('/', "-"))))
                    }
                    _ if path.starts_with("auth/token/create") => Some((token, "token".to_owned())),
                    _ => None,
                }
            }
            (None, None) => None,
        };
        let Some((token, name)) = known else { return };
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = hash(token);
        if names.by_hash.insert(hash, name).is_none() {
            names.order.push_back(hash);
        }
        if names.order.len() > REMEMBERED
            && let Some(oldest) = names.order.pop_front()
        {
            names.by_hash.remove(&oldest);
        }
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
