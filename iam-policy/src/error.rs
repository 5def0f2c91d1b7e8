//! What can be wrong with a policy document, and with a question put to the evaluator.

use std::fmt;

/// Why a document was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// AWS refuses this document too, with `MalformedPolicyDocument` (`MalformedPolicy` in S3).
    Malformed,
    /// AWS accepts this document; this crate does not implement something in it and will not guess.
    Unsupported,
}

/// A policy document that cannot be used, with the place of the first fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    code: ErrorCode,
    kind: crate::PolicyKind,
    place: String,
    message: String,
}

/// A question that cannot be answered. Nothing may be allowed on such an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The action of the request is not `vendor:Action` with letters, digits and `-` only.
    #[error("action {0:?} of the request is not of the form vendor:Action")]
    MalformedAction(String),
    /// The ARN of the caller is not one of a user or a role.
    #[error("principal {0:?} of the request is not the ARN of a user or a role")]
    MalformedPrincipal(String),
    /// A policy was attached where its kind does not belong, for instance a trust policy among the identity policies.
    #[error("{name} is attached as {place}, and a policy parsed as {kind} does not belong there")]
    WrongKind {
        /// The name of the attached policy.
        name: String,
        /// Where it was attached.
        place: &'static str,
        /// The kind that it was parsed as.
        kind: crate::PolicyKind,
    },
    /// `sts:AssumeRole` or one of its sisters was asked without the trust policy of the role, which no identity policy can stand in for.
    #[error("{action} needs the trust policy of the role: attach it as the resource policy, parsed as a trust policy")]
    TrustPolicyMissing {
        /// The action of the request.
        action: String,
    },
    /// A policy names an account as `CanonicalUser`, and the context does not tell the id of the caller's
    /// ([`crate::Context::set_canonical_user`]).
    #[error(
        "{policy}, statement {index}: names a CanonicalUser, and the context does not tell the caller's canonical user id"
    )]
    CanonicalUserUnknown {
        /// The name of the attached policy.
        policy: String,
        /// The statement, counted from 1.
        index: usize,
    },
    /// A condition reads a key of the context as an address, a number, a time or binary data, and it is none.
    #[error("{policy}, statement {index}: {operator} reads {key}, whose value {value:?} is not {wanted}")]
    Unreadable {
        /// The name of the attached policy.
        policy: String,
        /// The statement, counted from 1.
        index: usize,
        /// The operator as written in the policy.
        operator: String,
        /// The condition key.
        key: String,
        /// The value found in the context.
        value: String,
        /// What it should be, with its article: `an IP address`, `a number`, `a time`, `binary data in Base64`.
        wanted: &'static str,
    },
}

// === impl PolicyError ===

impl PolicyError {
    pub(crate) fn malformed(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::Malformed,
            kind: crate::PolicyKind::Identity,
            place: place.into(),
            message: message.into(),
        }
    }

    pub(crate) fn unsupported(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::Unsupported,
            kind: crate::PolicyKind::Identity,
            place: place.into(),
            message: message.into(),
        }
    }

    /// The same error in a document of this kind.
    pub(crate) fn in_kind(self, kind: crate::PolicyKind) -> Self {
        Self { kind, ..self }
    }

    /// The error code with which AWS refuses such a document: `MalformedPolicyDocument` of IAM and STS, `MalformedPolicy` of
    /// S3 for the policy of a resource. What is not supported here has no other code, since it must be refused as well.
    #[must_use]
    pub fn aws_code(&self) -> &'static str {
        match self.kind {
            crate::PolicyKind::Identity | crate::PolicyKind::Trust => "MalformedPolicyDocument",
            crate::PolicyKind::Resource => "MalformedPolicy",
        }
    }

    /// Whether AWS refuses the document, or only this crate.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Where in the document, as `Statement[0].Condition.NumericEquals` (list indices from 0); empty for the whole.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong there, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.code {
            ErrorCode::Malformed => "malformed policy",
            ErrorCode::Unsupported => "unsupported policy",
        };
        if self.place.is_empty() {
            write!(f, "{kind}: {}", self.message)
        } else {
            write!(f, "{kind}: {}: {}", self.place, self.message)
        }
    }
}
