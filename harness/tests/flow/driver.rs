//! What all clients have in common.

use serde_json::Value;

/// A client of AWS.
pub(crate) trait Driver {
    /// Asks once, without repeating.
    ///
    /// # Errors
    /// The client itself fails: it cannot be started, or says what is not understood here.
    fn ask(&mut self, call: &Call) -> Result<Answer, String>;
}

/// What a client is to ask.
pub(crate) struct Call {
    /// Where AWS is, such as `http://127.0.0.1:4566`.
    pub(crate) endpoint: String,
    /// `iam`, `sts` or `s3`
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) params: Value,
    /// None for a request that is not signed.
    pub(crate) keys: Option<Keys>,
}

/// Keys as an answer had them.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// What AWS said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Done(Value),
    Refused(Refusal),
}

/// A refusal as a client shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Empty where the answer had no body.
    pub(crate) code: String,
    pub(crate) message: String,
}

/// The region of everything.
pub(crate) const REGION: &str = "us-east-1";

// === impl Refusal ===

impl Refusal {
    /// A refusal; clients write the status, or a word for it, where an answer had no body and so no code.
    pub(crate) fn new(status: u16, code: &str, message: &str) -> Self {
        let bodiless = code.is_empty() || code == status.to_string();
        Self {
            status,
            code: if bodiless { String::new() } else { code.to_owned() },
            message: if bodiless { String::new() } else { message.to_owned() },
        }
    }
}

// === impl Keys ===

impl Keys {
    /// The keys in an answer of CreateAccessKey, AssumeRole or GetSessionToken.
    pub(crate) fn of(answer: &Value) -> Option<Self> {
        let keys = answer.get("AccessKey").or_else(|| answer.get("Credentials"))?;
        let text = |name: &str| keys.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            id: text("AccessKeyId")?,
            secret: text("SecretAccessKey")?,
            token: text("SessionToken"),
        })
    }
}
