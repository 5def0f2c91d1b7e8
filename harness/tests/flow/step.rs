//! A row of the flow: who asks what, and what AWS says.

use serde_json::Value;

/// Whose keys sign, by the name under which an earlier step kept them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signer {
    /// Nobody: the request is not signed.
    Nobody,
    /// These keys, as they were given.
    Keys(&'static str),
    /// These keys with another secret.
    WrongSecret(&'static str),
    /// The keys of a session with another token.
    WrongToken(&'static str),
    /// The keys of a session without its token.
    NoToken(&'static str),
    /// An id that nobody was ever given, with the secret and the token of these keys.
    UnknownKey(&'static str),
}

/// What is done.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// `service:Operation` with its parameters, all by AWS's names. Beyond AWS's there is `s3:Presign`, which makes a
    /// link to an object without asking anybody.
    Operation(&'static str, Value),
    /// The link that a step kept is opened.
    Open(&'static str),
    /// The same with another signature.
    OpenForged(&'static str),
    /// The world's time is moved by seconds.
    Advance(u64),
}

/// What AWS says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    Done,
    /// Done, and the answer has this at this JSON pointer.
    Says(&'static str, &'static str),
    /// Done, and the list at this JSON pointer is empty, or not there.
    Nothing(&'static str),
    /// Refused with this HTTP status and this code; an answer without a body (to HEAD) has no code.
    Refused(u16, &'static str),
}

/// A row. Texts may have `{account}`, `{partner}`, `{bucket}` and `{other}` in them, which are of each run alone.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) what: String,
    pub(crate) by: Signer,
    pub(crate) ask: Ask,
    pub(crate) expected: Expected,
    /// The answer is kept under this name: its keys or its link can be used by later steps.
    pub(crate) keep: Option<&'static str>,
    /// LocalStack alone lets it pass.
    pub(crate) gap: bool,
    /// It comes true with time: it is asked again until it does.
    pub(crate) comes: bool,
}

// === impl Step ===

impl Step {
    pub(crate) fn new(what: impl Into<String>, by: Signer, ask: Ask, expected: Expected) -> Self {
        Self {
            what: what.into(),
            by,
            ask,
            expected,
            keep: None,
            gap: false,
            comes: false,
        }
    }

    pub(crate) fn keeps(self, name: &'static str) -> Self {
        Self {
            keep: Some(name),
            ..self
        }
    }

    pub(crate) fn gap(self) -> Self {
        Self { gap: true, ..self }
    }

    pub(crate) fn comes(self) -> Self {
        Self { comes: true, ..self }
    }
}
