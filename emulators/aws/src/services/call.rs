use jiff::Timestamp;

use crate::{
    answer::{Refusal, Xml},
    authorise::Gate,
    params::Params,
    state::{AccountRef, State},
    web_identity::Jwks,
};

/// One query-protocol operation under way.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    /// The caller's account.
    pub(crate) account: AccountRef,
    pub(crate) gate: &'a mut Gate,
    pub(crate) params: &'a Params,
    /// The keys of the issuer of a token that the request carries, or why they could not be had. None: nobody was asked.
    pub(crate) issuer_keys: Option<&'a Result<Jwks, String>>,
    /// The world's time. Answers show whole seconds, as AWS keeps times; a report of what decided wants more.
    pub(crate) now: Timestamp,
}

/// What an operation results in; some have no result element.
pub(crate) type Done = Result<Option<Xml>, Refusal>;
