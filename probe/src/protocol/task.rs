use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Masked;

/// Where the metadata service is, in a pod as on an instance.
const METADATA: &str = "169.254.169.254:80";

/// One thing to do, from inside a pod. In JSON the kind is the only key: `{"credentials": {}}`, `{"imds": {"target":
/// "/latest/"}}`, `{"call": {"operation": "s3:ListBuckets"}}`, `{"sdk": {}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Walk the metadata service to its credentials; answered by [`Report::Walks`](crate::Report::Walks).
    Credentials(Credentials),
    /// One raw request to the metadata service; answered by [`Report::Asked`](crate::Report::Asked).
    Imds(Imds),
    /// One AWS call; answered by [`Report::Call`](crate::Report::Call).
    Call(Call),
    /// Credentials by the SDK's own metadata provider; answered by [`Report::Sdk`](crate::Report::Sdk).
    Sdk(Sdk),
}

/// A walk as an SDK makes it: a token, the name of the role, the credential document.
///
/// * `PUT /latest/api/token` with a lifetime of 21600 s. If it is answered by 403, 404 or 405 the walk goes on without a
///   token, which is what AWS's reference for its SDKs prescribes; by anything else but 200, the walk ends.
/// * `GET /latest/meta-data/iam/security-credentials/`: the first line of a 200 is the role's name. Anything else ends
///   the walk, unless [`ask_for`](Self::ask_for) says which role to ask for anyway.
/// * `GET /latest/meta-data/iam/security-credentials/<name>`, the name verbatim.
///
/// No redirect is followed. Within one walk the connection is kept open as long as the server keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// Ask for this role's document, whatever the listing says (the listing is still read, and its refusal recorded).
    pub ask_for: Option<String>,
    /// Which session token to send.
    pub token: TokenUse,
    /// Address and port of the metadata service; by default 169.254.169.254:80.
    pub metadata: String,
    /// How many walks at the same moment: every connection is open before the first byte is written. 1 to 4096.
    pub at_once: usize,
    /// How long to wait.
    pub patience: Patience,
}

/// One request to the metadata service, sent byte for byte, its answer taken as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imds {
    /// The HTTP method; by default GET.
    #[serde(default = "get")]
    pub method: String,
    /// The request target; not folded, not encoded, not checked.
    pub target: String,
    /// Further headers, in this order. A `Host` here replaces the one that the address would give.
    #[serde(default)]
    pub headers: Vec<(String, Masked)>,
    /// The request's body.
    #[serde(default)]
    pub body: Option<Masked>,
    /// Which session token to send; by default none.
    #[serde(default = "no_token")]
    pub token: TokenUse,
    /// Address and port to connect to; by default 169.254.169.254:80.
    #[serde(default = "metadata")]
    pub to: String,
    /// How many requests at the same moment: every connection is open before the first byte is written. 1 to 4096.
    #[serde(default = "once")]
    pub at_once: usize,
    /// How long to wait.
    #[serde(default)]
    pub patience: Patience,
}

/// One AWS call in the pod's surroundings: `AWS_ENDPOINT_URL` and `AWS_REGION` must be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// `service:Operation` in the API's own names; one of [`operations`](crate::operations).
    pub operation: String,
    /// The operation's parameters by their names in [`operations`](crate::operations).
    #[serde(default)]
    pub with: Map<String, Value>,
    /// Sign with these; without them the SDK's default chain looks for credentials, afresh for this call.
    #[serde(default)]
    pub keys: Option<Keys>,
    /// How long the whole call may take, in milliseconds; by default 15000.
    #[serde(default = "call_ms")]
    pub whole_ms: u64,
}

/// The SDK's own metadata provider, as a program in the pod would run it (`AWS_EC2_METADATA_SERVICE_ENDPOINT` is heeded).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sdk {
    /// The credential process of the SDK's configuration file, in place of the metadata service.
    pub agent: bool,
    /// How long it may take, in milliseconds; by default 15000. The SDK's own limits (connect and read 1 s) lie within.
    pub whole_ms: u64,
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// `AKIA…` of a user, `ASIA…` of a session.
    pub access_key_id: String,
    /// What it signs with.
    pub secret_access_key: Masked,
    /// Only a session's key has one.
    #[serde(default)]
    pub session_token: Option<Masked>,
}

/// Which session token of the metadata service a request carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenUse {
    /// Ask for one first, as an SDK does.
    #[default]
    Fresh,
    /// Carry none.
    None,
    /// Carry this one: `{"given": "…"}`.
    Given(Masked),
}

/// How long to wait for the metadata service, in real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patience {
    /// For a connection, in milliseconds; by default 1000, as SDKs have it.
    pub connect_ms: u64,
    /// For one exchange from its first byte to the answer's last, in milliseconds; by default 5000.
    pub whole_ms: u64,
}

// === impl Credentials ===

impl Default for Credentials {
    fn default() -> Self {
        Self {
            ask_for: None,
            token: TokenUse::Fresh,
            metadata: metadata(),
            at_once: 1,
            patience: Patience::default(),
        }
    }
}

// === impl Imds ===

impl Imds {
    /// `method target` to the metadata service at its usual address, without a token.
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers: Vec::new(),
            body: None,
            token: TokenUse::None,
            to: metadata(),
            at_once: 1,
            patience: Patience::default(),
        }
    }
}

// === impl Call ===

impl Call {
    /// `operation` without parameters, signed with what the default chain finds.
    pub fn new(operation: impl Into<String>) -> Self {
        Self {
            operation: operation.into(),
            with: Map::new(),
            keys: None,
            whole_ms: call_ms(),
        }
    }
}

// === impl Sdk ===

impl Default for Sdk {
    fn default() -> Self {
        Self {
            agent: false,
            whole_ms: call_ms(),
        }
    }
}

// === impl Patience ===

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect_ms: 1_000,
            whole_ms: 5_000,
        }
    }
}

impl Patience {
    pub(crate) fn connect(self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    pub(crate) fn whole(self) -> Duration {
        Duration::from_millis(self.whole_ms)
    }
}

fn get() -> String {
    "GET".to_owned()
}

fn metadata() -> String {
    METADATA.to_owned()
}

fn no_token() -> TokenUse {
    TokenUse::None
}

fn once() -> usize {
    1
}

fn call_ms() -> u64 {
    15_000
}
