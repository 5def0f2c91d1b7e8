//! What a pod does: one metadata walk or one AWS call, in a fresh process in the pod's network.
//!
//! The harness starts `rolecall probe` inside a pod (a network namespace or a container), writes one [`Task`] as JSON to
//! its standard input and reads one [`Report`] as JSON from its standard output. A process for every task means that
//! nothing is cached from one to the next: each call has a credential chain of its own, as a program started in that pod
//! would have.
//!
//! The probe knows no expectation. It reports what was asked and what came back, refusals and silence included, and
//! leaves the judgement to whoever reads the report.

mod ask;
mod call;
mod document;
mod masked;
mod operations;
mod protocol;
mod run;
mod sdk;
mod silence;
mod token;
mod volley;
mod walk;
mod wire;

pub use masked::Masked;
pub use operations::{Operation, Parameter, operation, operations};
pub use protocol::{
    Asked, Body, Call, CallReport, Credentials, Document, Exchange, Imds, Keys, Outcome, Patience, Report, Sdk,
    SdkReport, Silence, SilenceKind, Task, TokenUse, Walk,
};
pub use run::{perform, run};
