use std::sync::Arc;

use iam_policy::{ErrorCode, Policy, PolicyKind};
use jiff::Timestamp;

use super::Tags;
use crate::answer::Refusal;

/// A policy document: the text as it was sent, and what it means. It is parsed when it is stored, so that nothing that
/// cannot be evaluated is ever in force.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) text: Arc<str>,
    pub(crate) policy: Arc<Policy>,
}

/// A managed policy, AWS's own or the customer's.
#[derive(Clone, Debug)]
pub(crate) struct ManagedPolicy {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: Timestamp,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    /// The version in force, and since when it is.
    pub(crate) default: PolicyVersion,
    pub(crate) default_since: Timestamp,
    /// The versions that are not, in the order they were made.
    pub(crate) others: Vec<PolicyVersion>,
    /// The number of the latest version ever made: none is given twice.
    pub(crate) latest: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct PolicyVersion {
    /// Of `v1`, `v2`, …
    pub(crate) number: u32,
    pub(crate) created: Timestamp,
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
                text: text.into(),
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

    /// All versions with whether they are the default, the newest first.
    pub(crate) fn versions(&self) -> Vec<(&PolicyVersion, bool)> {
        let others = self.others.iter().map(|version| (version, false));
        let mut versions: Vec<_> = others.chain([(&self.default, true)]).collect();
        versions.sort_by_key(|(version, _)| std::cmp::Reverse(version.number));
        versions
    }

    /// The version with this id, such as `v2`, and whether it is the default.
    pub(crate) fn version(&self, id: &str) -> Option<(&PolicyVersion, bool)> {
        self.versions().into_iter().find(|(version, _)| version.id() == id)
    }

    /// When its latest version was made.
    pub(crate) fn updated(&self) -> Timestamp {
        self.versions()
            .first()
            .map_or(self.created, |(version, _)| version.created)
    }

    /// Puts another version in force; an id that none has changes nothing.
    pub(crate) fn set_default(&mut self, number: u32, now: Timestamp) {
        if let Some(at) = self.others.iter().position(|version| version.number == number) {
            std::mem::swap(&mut self.default, &mut self.others[at]);
            self.default_since = now;
        }
    }
}

// === impl PolicyVersion ===

impl PolicyVersion {
    pub(crate) fn id(&self) -> String {
        format!("v{}", self.number)
    }
}
