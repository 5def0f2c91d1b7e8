//! `Event…` → `RunReport` → text, files and an exit code. A writer knows the report and nothing else.

mod compare;
mod decisions;
mod diagnostics;
mod draft;
mod exit;
mod file;
mod fold;
mod json;
mod junit;
mod run_report;
#[cfg(test)]
mod sample;
mod side_by_side;
mod text;

pub(crate) use compare::{Comparison, OldReport};
pub(crate) use decisions::{Kept, decisions_json, kept_decisions, runs};
pub(crate) use diagnostics::{DiagnosticsReport, RunFolder};
pub(crate) use draft::{is_marker, owner_of, try_folder};
pub(crate) use exit::ExitStatus;
pub(crate) use file::{try_file, write_file};
pub(crate) use fold::{Added, Fold, RunFacts, quoted};
pub(crate) use json::json;
pub(crate) use junit::junit;
pub(crate) use run_report::{FailureReport, RunReport, ScenarioReport, StepReport, UnsteadyReport, VerdictWord};
pub(crate) use side_by_side::SideBySide;
pub(crate) use text::TextWriter;
