use std::sync::Arc;

use iam_policy::{ErrorCode, Policy, PolicyKind};
use jiff::Timestamp;

use super::Tags;
use crate::answer::Refusal;

/// A policy document: the text as it was sent, and what it means. It is parsed when it is stored, so that nothing that
/// cannot be evaluated is ever in force.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) policy: Arc<Policy>,
}

/// A managed policy, AWS's own or the customer's. Customer policies have one version.
#[derive(Clone, Debug)]
pub(crate) struct ManagedPolicy {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) version: String,
    pub(crate) created: Timestamp,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) document: Document,
}

// === impl Document ===

impl Document {
    /// Parses a document for storing.
    ///
    /// # Errors
    /// `MalformedPolicyDocument`, both for what AWS would refuse and for what this front does not implement; the
    /// message tells which.
    pub(crate) fn parse(kind: PolicyKind, text: &str) -> Result<Self, Refusal> {
        match Policy::parse(kind, text) {
            Ok(policy) => Ok(Self {
                text: text.to_owned(),
                policy: Arc::new(policy),
            }),
            Err(error) => {
                let place = if error.place().is_empty() {
                    String::new()
                } else {
                    format!("{}: ", error.place())
                };
                let what = match error.code() {
                    ErrorCode::Unsupported => "Rolecall does not implement this part of the policy",
                    ErrorCode::Malformed => "The policy document is malformed",
                };
                let message = format!("{what}: {place}{}", error.message());
                Err(Refusal::new(400, "MalformedPolicyDocument", message))
            }
        }
    }
}

// === impl ManagedPolicy ===

impl ManagedPolicy {
    /// Whether it is one of AWS's own, which nobody can delete.
    pub(crate) fn is_aws(&self) -> bool {
        self.arn.starts_with("arn:aws:iam::aws:")
    }
}
