//! `check(Expect, Observed) → Judgement`: pure, and knows no world.

mod call;
mod context;
mod expectation;
mod heard;
mod journal;
mod judgement;
mod metadata;
mod observed;
mod text;

pub(crate) use context::{Context, Note, Saved};
pub(crate) use expectation::check_all;
pub(crate) use judgement::{Grade, Judgement};
pub(crate) use observed::{
    Answer, Call, CallOutcome, Exec, Identity, JournalEntry, Keys, Metadata, Observed, Record, Refusal, shorten,
};
