use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Keys, Masked};

/// What came of a [`Task`](crate::Task). In JSON the kind is the only key; a task that could not be done at all is
/// `{"error": "…"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// As many walks as were asked for at once.
    Walks(Vec<Walk>),
    /// As many raw requests as were asked for at once.
    Asked(Vec<Asked>),
    /// One AWS call.
    Call(Box<CallReport>),
    /// The SDK's own provider.
    Sdk(SdkReport),
    /// The task makes no sense, or the surroundings lack something: what, and what to do. The exit code is 2.
    Error(String),
}

/// A walk to the credentials, as far as it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// Every exchange in order, the last one possibly without an answer.
    pub exchanges: Vec<Exchange>,
    /// The first line of the listing, if there was one.
    pub role_name: Option<String>,
    /// What the last exchange brought, if it was a credential document.
    pub document: Option<Document>,
    /// Why the walk ended without an answer, or with half of one.
    pub failure: Option<Silence>,
    /// Index into `exchanges` of the one at which the walk ended.
    pub ended_at: usize,
}

/// A raw request and, if a fresh token was due, the one that brought the token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Every exchange in order.
    pub exchanges: Vec<Exchange>,
    /// Why there is no answer, or half of one.
    pub failure: Option<Silence>,
    /// Index into `exchanges` of the last.
    pub ended_at: usize,
}

/// One HTTP request and its answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The method as sent.
    pub method: String,
    /// The target as sent.
    pub target: String,
    /// The answer's status; none if no head of an answer came.
    pub status: Option<u16>,
    /// The answer's headers in order, names as spelled.
    pub headers: Vec<(String, String)>,
    /// The answer's body, as far as it came.
    pub body: Body,
    /// From the attempt to connect (or the first byte, if the connection was open) to the last byte, in milliseconds of
    /// real time.
    pub elapsed_ms: u64,
}

/// The bytes of a body, the first 64 KiB of a raw answer or the first MiB of an object. `Debug` shows the length alone.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The bytes as text; what is not UTF-8 is replaced.
    pub text: String,
    /// The exact bytes in base64, if they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// There was more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// A credential document of the metadata service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// `AccessKeyId`.
    pub access_key_id: Option<String>,
    /// `SecretAccessKey`.
    pub secret_access_key: Option<Masked>,
    /// `Token`.
    pub token: Option<Masked>,
    /// `Expiration`, as spelled.
    pub expiration: Option<String>,
    /// `LastUpdated`, as spelled.
    pub last_updated: Option<String>,
    /// `Code`, as spelled.
    pub code: Option<String>,
    /// `Type`, as spelled.
    #[serde(rename = "type")]
    pub type_: Option<String>,
    /// Every key of the document exactly as spelled, in its order.
    pub names: Vec<String>,
    /// The whole document.
    pub raw: Masked,
}

/// Nobody answered, or not to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Which kind.
    pub kind: SilenceKind,
    /// At which address, doing what.
    pub message: String,
}

/// The kinds of silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilenceKind {
    /// Nothing listens there.
    Refused,
    /// No route, or an address that is none.
    Unreachable,
    /// No connection or no full answer in time.
    TimedOut,
    /// The connection was reset.
    Reset,
    /// The connection was closed before the answer was whole.
    Closed,
    /// Something answered that is not HTTP, or that no client can use.
    Unreadable,
    /// Something else; the message says what.
    Other,
}

/// What came of an AWS call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallReport {
    /// How it ended.
    pub outcome: Outcome,
    /// The key that signed the last attempt, read from the request that was sent.
    pub access_key_id: Option<String>,
    /// `x-amzn-RequestId` or `x-amz-request-id` of the last answer.
    pub request_id: Option<String>,
    /// Status of the last answer.
    pub status: Option<u16>,
    /// How many signed requests left.
    pub attempts: u32,
    /// The whole call, finding credentials included, in milliseconds of real time.
    pub elapsed_ms: u64,
}

/// How an AWS call ended.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// AWS did it.
    Ok {
        /// The object of `s3:GetObject`, or the whole answer of a service that the SDK's clients here do not cover.
        body: Option<Body>,
        /// What a listing listed: names of buckets, roles, users, domains and regions, keys of objects, ids of instances.
        /// The first page.
        lists: Option<Vec<String>>,
        /// What came back under the API's own names.
        json: Value,
    },
    /// AWS said no.
    Error {
        /// AWS's code; the status' digits where the answer had none (a `HEAD` has no body).
        code: String,
        /// AWS's message.
        message: Option<String>,
        /// The answer's status.
        status: Option<u16>,
    },
    /// The default chain found nothing to sign with, so nothing was sent to the service.
    NoCredentials {
        /// What the chain says.
        reason: String,
    },
    /// The service did not answer.
    Silence(Silence),
}

/// What the SDK's own metadata provider got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdkReport {
    /// The keys, if it got any.
    pub keys: Option<Keys>,
    /// Their expiry as the SDK holds it (it puts a past one off by ten to fifteen minutes), RFC 3339.
    pub expiration: Option<String>,
    /// Why it got none.
    pub failure: Option<String>,
    /// Milliseconds of real time.
    pub elapsed_ms: u64,
}

// === impl Walk ===

impl Walk {
    /// The exchange at which the walk ended; none if not even a connection was tried.
    pub fn last(&self) -> Option<&Exchange> {
        self.exchanges.get(self.ended_at)
    }
}

// === impl Asked ===

impl Asked {
    /// The exchange that was asked for, or the token's if it ended there.
    pub fn last(&self) -> Option<&Exchange> {
        self.exchanges.get(self.ended_at)
    }
}

// === impl Exchange ===

impl Exchange {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(spelled, _)| spelled.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

// === impl Body ===

impl Body {
    /// Text if `bytes` are UTF-8, else text with replacements and the exact bytes beside it.
    pub fn of(bytes: &[u8], truncated: bool) -> Self {
        // A character that the bound cut in two is not a binary body, but its bytes are kept all the same.
        let base64 = std::str::from_utf8(bytes)
            .is_err()
            .then(|| BASE64_STANDARD.encode(bytes));
        Self {
            text: String::from_utf8_lossy(bytes).into_owned(),
            base64,
            truncated,
        }
    }

    /// The exact bytes, as far as they were kept.
    pub fn bytes(&self) -> Vec<u8> {
        let exact = self
            .base64
            .as_deref()
            .and_then(|text| BASE64_STANDARD.decode(text).ok());
        exact.unwrap_or_else(|| self.text.clone().into_bytes())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.truncated { " and more" } else { "" };
        write!(f, "<body, {} bytes{more}>", self.bytes().len())
    }
}

// === impl Outcome ===

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The answer of sts:AssumeRole holds keys, so no answer is shown.
            Self::Ok { body, lists, .. } => {
                let mut ok = f.debug_struct("Ok");
                ok.field("body", body).field("lists", lists).finish_non_exhaustive()
            }
            Self::Error { code, message, status } => {
                let mut error = f.debug_struct("Error");
                error
                    .field("code", code)
                    .field("message", message)
                    .field("status", status)
                    .finish()
            }
            Self::NoCredentials { reason } => f.debug_struct("NoCredentials").field("reason", reason).finish(),
            Self::Silence(silence) => f.debug_tuple("Silence").field(silence).finish(),
        }
    }
}
