use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use crate::{Span, Spanned};

/// `expect:` of a step: all words must hold.
#[derive(Clone, Debug)]
pub struct Expect {
    /// The whole value of `expect:`.
    pub span: Span,
    /// The words, each with the place of its key and value (a caret goes under it).
    pub all: Vec<Spanned<Expectation>>,
}

/// One word of an `expect`.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// The keys are that role's, proven by GetCallerIdentity (`node` and `master` are kops' roles).
    Role(String),
    /// No access key of anybody came back.
    Refused,
    /// The same access key id as was saved.
    SameKeyAs(String),
    /// Another access key id than was saved.
    NewKeySince(String),
    /// How long the keys are good for.
    ValidFor(Bounds),
    /// The seven keys in AWS's spelling.
    WellFormed,
    /// Answered in this time, best of three.
    AnsweredIn(Duration),
    /// Status patterns, any of: `404`, `4xx`.
    Status(Vec<String>),
    /// Every byte of the body.
    Body(String),
    /// The body (or log) contains this.
    Contains(Vec<String>),
    /// The body (or log) does not contain this.
    NotContains(Vec<String>),
    /// Members of the JSON body.
    Json(BTreeMap<String, Value>),
    /// Headers of the answer.
    Headers(BTreeMap<String, String>),
    /// No key, secret or token of the node.
    NoNodeCredentials,
    /// The call was allowed.
    Allowed,
    /// Key, token and signature were right and policy refused, with this code.
    Denied(String),
    /// The call failed with this code.
    Error(String),
    /// The caller had no credentials.
    NoCredentials,
    /// Exactly these names, in any order.
    Lists(Vec<String>),
    /// Whose key signed, by the front's record.
    Caller(String),
    /// Exit status of a program.
    Exit(i32),
    /// Standard output contains this.
    StdoutContains(Vec<String>),
    /// Standard error contains this.
    StderrContains(Vec<String>),
    /// Exactly so many entries.
    Count(u64),
    /// At least so many entries.
    AtLeast(u64),
    /// At most so many entries.
    AtMost(u64),
    /// No entry at all.
    Never,
    /// The operator's change was taken.
    Applied,
    /// The API server refused the change, naming this field.
    Rejected(String),
}

/// `valid_for`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// At least.
    pub at_least: Option<Duration>,
    /// At most.
    pub at_most: Option<Duration>,
}

// === impl Expectation ===

impl Expectation {
    /// The word, as it is written.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Refused => "refused",
            Self::SameKeyAs(_) => "same_key_as",
            Self::NewKeySince(_) => "new_key_since",
            Self::ValidFor(_) => "valid_for",
            Self::WellFormed => "well_formed",
            Self::AnsweredIn(_) => "answered_in",
            Self::Status(_) => "status",
            Self::Body(_) => "body",
            Self::Contains(_) => "contains",
            Self::NotContains(_) => "not_contains",
            Self::Json(_) => "json",
            Self::Headers(_) => "headers",
            Self::NoNodeCredentials => "no_node_credentials",
            Self::Allowed => "allowed",
            Self::Denied(_) => "denied",
            Self::Error(_) => "error",
            Self::NoCredentials => "no_credentials",
            Self::Lists(_) => "lists",
            Self::Caller(_) => "caller",
            Self::Exit(_) => "exit",
            Self::StdoutContains(_) => "stdout_contains",
            Self::StderrContains(_) => "stderr_contains",
            Self::Count(_) => "count",
            Self::AtLeast(_) => "at_least",
            Self::AtMost(_) => "at_most",
            Self::Never => "never",
            Self::Applied => "applied",
            Self::Rejected(_) => "rejected",
        }
    }

    /// Whether the word must stay right for `throughout` once it is right: the negative and counting ones.
    pub fn must_hold(&self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::Denied(_)
                | Self::Error(_)
                | Self::Never
                | Self::Count(_)
                | Self::AtMost(_)
                | Self::SameKeyAs(_)
                | Self::NoNodeCredentials
                | Self::NotContains(_)
                | Self::NoCredentials
        )
    }
}
