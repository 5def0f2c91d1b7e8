use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Caller;

/// What became of one request, and why: kept under the id that its answer carried.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// The id the answer carried.
    pub request_id: String,
    /// The world's time at which the request was read.
    pub at: Timestamp,
    /// The service's signing name.
    pub service: String,
    /// The API operation.
    pub operation: String,
    /// The IAM action that was decided on, such as `s3:ListAllMyBuckets`; empty if none was.
    pub action: String,
    /// The ARN the action was asked for; empty if none was.
    pub resource: String,
    /// Whose key signed, if the key was known.
    pub caller: Option<Caller>,
    /// The outcome of authentication and authorisation.
    pub verdict: Verdict,
    /// The policy decision with its trace. Absent where none was made: authentication failed, the request was malformed,
    /// or the operation needs no permission (GetCallerIdentity).
    pub decision: Option<iam_policy::Decision>,
    /// The policy whose statement decided, and since when it is in force.
    pub attached: Option<Attachment>,
    /// `ok` or the AWS error code.
    pub answer: String,
    /// The HTTP status of the answer.
    pub status: u16,
}

/// The outcome of authentication and authorisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Policy allowed it (or the operation needs no permission). The answer can still be an error of the service.
    Allowed,
    /// Policy refused it.
    Denied,
    /// Policy would have refused it, but enforcement is off.
    LetThrough,
    /// Nothing was decided, because the request was refused before, with this error code.
    Failed(String),
}

/// Since when a policy that decided is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The policy, as the decision names it.
    pub policy: String,
    /// The world's time at which it was attached or put.
    pub at: Timestamp,
}

// === impl Verdict ===

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed => f.write_str("allowed"),
            Self::Denied => f.write_str("denied"),
            Self::LetThrough => f.write_str("let through: enforcement is off"),
            Self::Failed(code) => write!(f, "refused before any decision: {code}"),
        }
    }
}

// === impl DecisionRecord ===

impl fmt::Display for DecisionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} {}:{} {} {}",
            self.at, self.service, self.operation, self.status, self.answer
        )?;
        match &self.caller {
            Some(caller) => {
                write!(f, "signed by {} ({})", caller.key_id, caller.arn)?;
                match (caller.issued, caller.expires) {
                    (Some(issued), Some(expires)) => writeln!(f, ", a session from {issued} to {expires}")?,
                    _ => writeln!(f)?,
                }
            }
            None => writeln!(f, "signed by nobody known")?,
        }
        if !self.action.is_empty() {
            writeln!(f, "{} on {}", self.action, self.resource)?;
        }
        writeln!(f, "{}", self.verdict)?;
        if let Some(decision) = &self.decision {
            writeln!(f, "{decision}")?;
            for one in &decision.consulted {
                let s = if one.statements == 1 { "" } else { "s" };
                writeln!(
                    f,
                    "consulted as {}: {} ({} statement{s})",
                    one.policy_type, one.policy, one.statements
                )?;
            }
        }
        if let Some(attached) = &self.attached {
            writeln!(f, "{} is in force since {}", attached.policy, attached.at)?;
        }
        write!(f, "request id {}", self.request_id)
    }
}
