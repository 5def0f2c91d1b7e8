//! Initialisation, key shares, seal and unseal.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    core::Core,
    mint,
    reply::{Done, Refusal, Reply},
    request::{Operation, Request},
    token::Token,
};

/// Shortest and longest key share, in bytes.
const SHARE: (usize, usize) = (16, 33);

/// Whether the server is initialised and open, and its key shares.
///
/// A share is a random text. Unlike Shamir's they are all kept, and enough of them are right if each is one of those.
pub(crate) struct Seal {
    shares: Vec<String>,
    threshold: usize,
    given: Vec<String>,
    nonce: String,
    sealed: bool,
    pub(crate) cluster: (String, String),
}

// === impl Seal ===

impl Seal {
    pub(crate) fn new() -> Self {
        Self {
            shares: Vec::new(),
            threshold: 0,
            given: Vec::new(),
            nonce: String::new(),
            sealed: true,
            cluster: (format!("vault-cluster-{}", hex::encode(mint::bytes(4))), mint::uuid()),
        }
    }

    pub(crate) fn initialised(&self) -> bool {
        !self.shares.is_empty()
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed
    }

    pub(crate) fn init(&mut self, shares: usize, threshold: usize) {
        // One share is the key itself; of several, each has a byte more.
        let length = if shares == 1 { 32 } else { 33 };
        self.shares = (0..shares).map(|_| hex::encode(mint::bytes(length))).collect();
        self.threshold = threshold;
    }

    pub(crate) fn open(&mut self) {
        self.sealed = false;
        self.given.clear();
        self.nonce.clear();
    }

    pub(crate) fn shares(&self) -> &[String] {
        &self.shares
    }

    pub(crate) fn only_share(&self) -> Option<String> {
        match self.shares.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    /// Takes one share; the last one that is needed opens the server.
    fn give(&mut self, share: Vec<u8>) -> Result<(), Refusal> {
        if share.len() < SHARE.0 {
            return Err(Refusal::bad(format!(
                "invalid key: key is shorter than minimum {} bytes",
                SHARE.0
            )));
        }
        if share.len() > SHARE.1 {
            return Err(Refusal::bad(format!(
                "invalid key: key is longer than maximum {} bytes",
                SHARE.1
            )));
        }
        let share = hex::encode(share);
        if self.given.is_empty() && self.threshold > 1 {
            self.nonce = mint::uuid();
        }
        if !self.given.contains(&share) {
            self.given.push(share);
        }
        if self.given.len() < self.threshold {
            return Ok(());
        }
        let good = self.given.iter().all(|share| self.shares.contains(share));
        self.given.clear();
        self.nonce.clear();
        if !good {
            return Err(Refusal::bad(
                "unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message \
                 authentication failed",
            ));
        }
        self.sealed = false;
        Ok(())
    }
}

// === impl Core ===

impl Core {
    /// Whether nothing ends, because the server is sealed or plays one that is.
    pub(crate) fn sealed(&self) -> bool {
        self.state().seal.is_sealed() || self.faults.sealed()
    }

    /// What is answered whatever the state; none for all other paths.
    pub(crate) fn always(self: &Arc<Self>, request: &Request) -> Option<Done> {
        let write = request.operation == Operation::Write;
        let read = request.operation == Operation::Read;
        let wrong = || {
            Err(Refusal {
                status: StatusCode::METHOD_NOT_ALLOWED,
                errors: Vec::new(),
            })
        };
        Some(match request.path.as_str() {
            "sys/health" if read => Ok(self.health(&request.data, None)),
            "sys/seal-status" if read => Ok(self.seal_status(false)),
            "sys/leader" if read => Ok(leader()),
            "sys/init" if read => {
                let initialised = self.state().seal.initialised();
                Ok(Reply::bare(StatusCode::OK, json!({ "initialized": initialised })))
            }
            "sys/init" if write => self.initialise(request),
            "sys/unseal" if write => self.unseal(request),
            "sys/health" | "sys/seal-status" | "sys/leader" | "sys/init" | "sys/unseal" => wrong(),
            _ => return None,
        })
    }

    pub(crate) fn seal_status(&self, as_sealed: bool) -> Reply {
        let state = self.state();
        let seal = &state.seal;
        let sealed = seal.sealed || as_sealed;
        let mut body = json!({
            "type": "shamir",
            "initialized": seal.initialised(),
            "sealed": sealed,
            "t": seal.threshold,
            "n": seal.shares.len(),
            "progress": seal.given.len(),
            "nonce": seal.nonce,
            "version": super::health::VERSION,
            "build_date": "2025-11-24T00:00:00Z",
            "migration": false,
        });
        if !sealed && let Some(body) = body.as_object_mut() {
            body.insert("cluster_name".into(), json!(seal.cluster.0));
            body.insert("cluster_id".into(), json!(seal.cluster.1));
        }
        if let Some(body) = body.as_object_mut() {
            body.insert("recovery_seal".into(), json!(false));
            body.insert("storage_type".into(), json!("inmem"));
        }
        Reply::bare(StatusCode::OK, body)
    }

    fn initialise(&self, request: &Request) -> Done {
        let fields = request.fields();
        let shares = fields.number("secret_shares")?.unwrap_or(0);
        let threshold = fields.number("secret_threshold")?.unwrap_or(0);
        let now = self.now();
        let mut state = self.state();
        if state.seal.initialised() {
            return Err(Refusal::bad("Vault is already initialized"));
        }
        let invalid = |what: &str| Err(Refusal::bad(format!("invalid seal configuration: {what}")));
        let (Ok(shares), Ok(threshold)) = (usize::try_from(shares), usize::try_from(threshold)) else {
            return invalid("shares and threshold must not be negative");
        };
        if shares == 0 {
            return invalid("secret shares must be at least one");
        }
        if threshold == 0 || shares > 255 {
            return invalid("threshold must be at least one, and shares at most 255");
        }
        if shares > 1 && threshold == 1 {
            return invalid("threshold must be greater than one for multiple shares");
        }
        if threshold > shares {
            return invalid("threshold cannot be larger than shares");
        }
        state.seal.init(shares, threshold);
        let root = mint::service_token(true);
        state.tokens.add(root.clone(), Token::root(now));
        let keys = state.seal.shares().to_vec();
        let in_base64: Vec<_> = keys
            .iter()
            .map(|key| STANDARD.encode(hex::decode(key).unwrap_or_default()))
            .collect();
        let body: Value = json!({ "keys": keys, "keys_base64": in_base64, "root_token": root });
        Ok(Reply::bare(StatusCode::OK, body))
    }

    fn unseal(&self, request: &Request) -> Done {
        let fields = request.fields();
        let reset = fields.flag("reset")?.unwrap_or(false);
        let key = fields.text("key")?.unwrap_or_default();
        {
            let mut state = self.state();
            if !reset && key.is_empty() {
                return Err(Refusal::bad(
                    "'key' must be specified in request body as JSON, or 'reset' set to true",
                ));
            }
            if !state.seal.initialised() {
                return Err(Refusal::bad("Vault is not initialized"));
            }
            if reset {
                state.seal.given.clear();
                state.seal.nonce.clear();
            } else {
                let share = hex::decode(&key).ok().or_else(|| STANDARD.decode(&key).ok());
                let Some(share) = share else {
                    return Err(Refusal::bad("'key' must be a valid hex or base64 string"));
                };
                // An open server measures a key and then leaves it.
                if state.seal.sealed || share.len() < SHARE.0 {
                    state.seal.give(share)?;
                }
            }
        }
        self.wake.notify_one();
        Ok(self.seal_status(false))
    }
}

fn leader() -> Reply {
    let body = json!({
        "ha_enabled": false,
        "is_self": false,
        "active_time": "0001-01-01T00:00:00Z",
        "leader_address": "",
        "leader_cluster_address": "",
        "performance_standby": false,
        "performance_standby_last_remote_wal": 0,
    });
    Reply::bare(StatusCode::OK, body)
}

/// Closes the server.
pub(super) fn seal(core: &Core, request: &Request) -> Done {
    if request.operation != Operation::Write {
        return Err(Refusal::unsupported_operation());
    }
    core.state().seal.sealed = true;
    Ok(Reply::none())
}
