//! What is said over the control listener. Times of the world are RFC 3339, durations are milliseconds.

use std::{fmt, net::SocketAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::serve::nodes::Node;

/// `GET /v1/status`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The program's version.
    pub(crate) version: String,
    /// The main account.
    pub(crate) account: String,
    /// How often the services have begun anew.
    pub(crate) resets: u64,
    /// Whether policy decides.
    pub(crate) enforcement: bool,
}

/// `GET /v1/clock`, and the answer to an advance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClockState {
    /// The world's time.
    pub(crate) wall: Timestamp,
    /// How far it is ahead of the operating system's.
    pub(crate) offset_ms: u64,
}

/// `POST /v1/clock/advance`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advance {
    /// How far the world's time moves forward.
    pub(crate) by_ms: u64,
}

/// `PUT /v1/faults/<service>`: what goes wrong with a service, `imds`, `vault`, `kubernetes` or one of AWS by its signing name.
/// Requests by the operator's listener meet no fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// A service of AWS answers with this error code, such as `Throttling`.
    Error {
        code: String,
        /// How many requests meet it; all until it is healed if absent.
        #[serde(default)]
        times: Option<u32>,
    },
    /// The metadata service or Vault answers with this HTTP status.
    Status {
        status: u16,
        #[serde(default)]
        times: Option<u32>,
    },
    /// Answers come this much later, in real time.
    Delay { delay_ms: u64 },
    /// The connection is closed in place of an answer.
    Down {
        #[serde(default)]
        times: Option<u32>,
    },
    /// Vault answers as one that is sealed. The server itself stays as it is.
    Sealed {
        #[serde(default)]
        times: Option<u32>,
    },
    /// Connections to the API server are cut once they have told what was there.
    DropWatch {
        /// How many of them; all until it is healed if absent.
        #[serde(default)]
        times: Option<u32>,
    },
}

/// The answer to `DELETE /v1/faults/<service>`: what the service's faults did, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Healed {
    /// Requests that met it, or connections that it has cut.
    pub(crate) met: Option<u32>,
    /// How often it would still have been met.
    pub(crate) left: Option<u32>,
}

/// `PUT /v1/propagation`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Propagation {
    /// How late changes to IAM are seen, in the world's time.
    pub(crate) delay_ms: u64,
}

/// `PUT /v1/issuer`: whose tokens are web identities, by these keys, where IAM is told of the issuer too. Forgotten when the
/// services begin anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenIssuer {
    /// Its URL, as tokens name it.
    pub(crate) issuer: String,
    /// Its key set (RFC 7517) as JSON text.
    pub(crate) jwks: String,
}

/// `GET /v1/imds/journal`: one request that the metadata service was sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetadataRequest {
    /// Counted from 1 since the services began (anew).
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    pub(crate) from: SocketAddr,
    /// The node that has this address, or a pod of which has it.
    pub(crate) node: Option<String>,
    pub(crate) method: String,
    /// The target as it was sent.
    pub(crate) target: String,
    /// Names in lower case. Values may be secret.
    pub(crate) headers: Vec<(String, String)>,
    /// None while there is no answer.
    pub(crate) status: Option<u16>,
}

/// `GET /v1/secrets`: something that no report may show, and that no pod may be given unless it is its own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownSecret {
    /// `role credentials`, `identity credentials` or `user data` of an instance; `key` for what AWS has given out.
    pub(crate) what: String,
    pub(crate) value: String,
}

/// `POST /v1/reset`: begin anew, with other settings where some are given.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reset {
    /// The main account's id, twelve digits.
    pub(crate) account: Option<String>,
    /// The region of requests that name none.
    pub(crate) region: Option<String>,
    /// `ID:SECRET`
    pub(crate) root_key: Option<String>,
    /// Further accounts behind the same port, in place of those there were.
    pub(crate) accounts: Option<Vec<AccountKeys>>,
    /// Whether policy decides.
    pub(crate) enforcement: Option<bool>,
    /// The instances, in place of those there were.
    pub(crate) nodes: Option<Vec<Node>>,
}

/// The answer to `POST /v1/reset` and `POST /v1/remove`: what was removed from the upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Removed {
    /// How many things; nothing if some could not be.
    pub(crate) removed: Option<usize>,
    /// What could not be removed, and why.
    pub(crate) failures: Vec<String>,
}

/// A further account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountKeys {
    /// Twelve digits.
    pub(crate) id: String,
    /// `ID:SECRET`
    pub(crate) root_key: String,
}

/// `POST /v1/instance-credentials`: for a metadata service in another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstanceName {
    pub(crate) instance_profile: String,
    pub(crate) instance_id: String,
}

/// The keys that EC2 has for an instance.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstanceKeys {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
    pub(crate) expiration: Timestamp,
    pub(crate) last_updated: Timestamp,
}

// === Debug of what holds secrets ===

impl fmt::Debug for MetadataRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("MetadataRequest")
            .field("number", &self.number)
            .field("from", &self.from)
            .field("node", &self.node)
            .field("method", &self.method)
            .field("target", &self.target)
            .field("headers", &names)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for KnownSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownSecret")
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reset")
            .field("account", &self.account)
            .field("region", &self.region)
            .field("accounts", &self.accounts)
            .field("enforcement", &self.enforcement)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AccountKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountKeys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for InstanceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceKeys")
            .field("access_key_id", &self.access_key_id)
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}

// === impl MetadataRequest ===

impl From<rolecall_imds::ImdsRequest> for MetadataRequest {
    fn from(request: rolecall_imds::ImdsRequest) -> Self {
        Self {
            number: request.number,
            at: request.at,
            from: request.from,
            node: request.node,
            method: request.method,
            target: request.target,
            headers: request.headers,
            status: request.status,
        }
    }
}
