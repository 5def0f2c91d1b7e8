//! Answers and refusals, and the envelope that they travel in.

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::mint;

/// A success.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: Option<StatusCode>,
    pub(crate) data: Option<Value>,
    pub(crate) auth: Option<Value>,
    pub(crate) wrap_info: Option<Value>,
    pub(crate) warnings: Vec<String>,
    pub(crate) lease: Option<LeaseHead>,
    /// The type of the engine that answers; empty for an auth method.
    pub(crate) mount_type: String,
    /// The data stand at the top level of the envelope as well, as older paths of `sys/` have it.
    pub(crate) doubled: bool,
    /// A body that stands alone, without the envelope.
    pub(crate) bare: Option<Value>,
}

/// What the envelope says of a lease.
#[derive(Clone, Debug)]
pub(crate) struct LeaseHead {
    pub(crate) id: String,
    pub(crate) renewable: bool,
    pub(crate) duration: SignedDuration,
}

/// A failure, with Vault's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) errors: Vec<String>,
}

pub(crate) type Done = Result<Reply, Refusal>;

// === impl Reply ===

impl Reply {
    /// 204.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// 200 with data.
    pub(crate) fn data(data: Value) -> Self {
        Self {
            data: Some(data),
            ..Self::default()
        }
    }

    /// 200 with a body of its own form.
    pub(crate) fn bare(status: StatusCode, body: Value) -> Self {
        Self {
            status: Some(status),
            bare: Some(body),
            ..Self::default()
        }
    }

    /// 200 with an `auth` block.
    pub(crate) fn auth(auth: Value) -> Self {
        Self {
            auth: Some(auth),
            ..Self::default()
        }
    }

    /// The data of a list, or 404 if there is nothing in it.
    pub(crate) fn keys(keys: Vec<String>) -> Done {
        if keys.is_empty() {
            return Err(Refusal::absent());
        }
        Ok(Self::data(json!({ "keys": keys })))
    }

    pub(crate) fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Whether the answer has something to say.
    pub(crate) fn has_body(&self) -> bool {
        self.bare.is_some()
            || self.data.is_some()
            || self.auth.is_some()
            || self.wrap_info.is_some()
            || self.lease.is_some()
            || !self.warnings.is_empty()
    }

    /// The status and the body.
    pub(crate) fn render(self) -> (StatusCode, Option<Value>) {
        if !self.has_body() {
            return (self.status.unwrap_or(StatusCode::NO_CONTENT), None);
        }
        let status = self.status.unwrap_or(StatusCode::OK);
        match self.bare {
            Some(bare) => (status, Some(bare)),
            None => (status, Some(self.envelope())),
        }
    }

    /// The envelope.
    pub(crate) fn envelope(self) -> Value {
        let (id, renewable, duration) = match self.lease {
            Some(lease) => (lease.id, lease.renewable, lease.duration.as_secs()),
            None => (String::new(), false, 0),
        };
        let warnings = if self.warnings.is_empty() {
            Value::Null
        } else {
            json!(self.warnings)
        };
        let mut body = Map::new();
        if let (Some(Value::Object(data)), true) = (&self.data, self.doubled) {
            body.extend(data.clone());
        }
        let envelope = json!({
            "request_id": mint::uuid(),
            "lease_id": id,
            "renewable": renewable,
            "lease_duration": duration,
            "data": self.data,
            "wrap_info": self.wrap_info,
            "warnings": warnings,
            "auth": self.auth,
            "mount_type": self.mount_type,
        });
        if let Value::Object(envelope) = envelope {
            body.extend(envelope);
        }
        Value::Object(body)
    }
}

// === impl Refusal ===

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            errors: vec![error.into()],
        }
    }

    /// 400.
    pub(crate) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// 500.
    pub(crate) fn internal(error: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error)
    }

    /// 403 in so many words.
    pub(crate) fn forbidden(error: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, error)
    }

    /// 403 `permission denied`, as one error of a list of errors.
    pub(crate) fn denied() -> Self {
        Self::forbidden(several(&["permission denied"]))
    }

    /// An entry that is not there.
    pub(crate) fn absent() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            errors: Vec::new(),
        }
    }

    pub(crate) fn no_route(path: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("no handler for route {path:?}. route entry not found."),
        )
    }

    pub(crate) fn unsupported_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, several(&["unsupported path"]))
    }

    pub(crate) fn unsupported_operation() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, several(&["unsupported operation"]))
    }

    pub(crate) fn sealed() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Vault is sealed")
    }

    pub(crate) fn body(&self) -> Value {
        json!({ "errors": self.errors })
    }
}

/// How Vault lists errors that it has gathered.
pub(crate) fn several(errors: &[&str]) -> String {
    let count = match errors.len() {
        1 => "1 error".to_owned(),
        n => format!("{n} errors"),
    };
    let lines: String = errors.iter().map(|error| format!("\t* {error}\n")).collect();
    format!("{count} occurred:\n{lines}\n")
}
