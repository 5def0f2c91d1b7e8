//! What the harness and its probe say to each other: a [`Task`] one way, a [`Report`] back, both JSON.

mod report;
mod task;

pub use report::{Asked, Body, CallReport, Document, Exchange, Outcome, Report, SdkReport, Silence, SilenceKind, Walk};
pub use task::{Call, Credentials, Imds, Keys, Patience, Sdk, Task, TokenUse};
