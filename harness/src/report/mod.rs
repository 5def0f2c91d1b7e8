//! `Event…` → `RunReport` → text, files and an exit code. A writer knows the report and nothing else.

mod exit;
mod fold;
mod json;
mod mask;
mod run_report;
mod text;

pub(crate) use exit::ExitStatus;
pub(crate) use fold::Fold;
pub(crate) use json::write_json;
pub(crate) use mask::mask;
pub(crate) use run_report::{FailureReport, RunReport, ScenarioReport, StepReport, VerdictWord};
pub(crate) use text::TextWriter;
