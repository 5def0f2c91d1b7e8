//! Files that a run is to write: tried before anything runs, written when it is over.

use std::path::Path;

use super::{
    args::{ReportArg, ReportKind},
    main::complain,
};
use crate::report::{ExitStatus, RunFolder, RunReport, json, junit, try_file, write_file};

/// A run of minutes should not end with a report that cannot be written.
///
/// # Errors
/// [`ExitStatus::NoWorld`] or [`ExitStatus::Usage`] after saying which one and what to do.
pub(crate) fn try_reports(reports: &[ReportArg]) -> Result<(), ExitStatus> {
    for (index, report) in reports.iter().enumerate() {
        let path = report.path.display();
        if reports.iter().take(index).any(|other| other.path == report.path) {
            complain(format_args!(
                "two reports cannot both be {path}; give each a file of its own"
            ));
            return Err(ExitStatus::Usage);
        }
        try_file(&report.path).map_err(|error| {
            complain(format_args!(
                "the report {path} cannot be written: {error}; choose another folder, or make this one writable"
            ));
            ExitStatus::NoWorld
        })?;
    }
    Ok(())
}

/// The folder for the files of what fails.
///
/// # Errors
/// [`ExitStatus::NoWorld`] after saying that it cannot be written and what to do.
pub(crate) fn run_folder(output: &Path, run: &str) -> Result<RunFolder, ExitStatus> {
    RunFolder::new(output, run).map_err(|error| {
        complain(format_args!(
            "the output folder {} cannot be written: {error}; choose another with --output DIR, or make it writable",
            output.display()
        ));
        ExitStatus::NoWorld
    })
}

/// Writes all reports; one that cannot be written does not keep the others from it.
///
/// # Errors
/// [`ExitStatus::HarnessError`] after saying which could not be written and why.
pub(crate) fn write_reports(report: &RunReport, reports: &[ReportArg]) -> Result<(), ExitStatus> {
    let mut all = Ok(());
    for ReportArg { kind, path } in reports {
        let text = match kind {
            ReportKind::Json => json(report).map_err(|error| error.to_string()),
            ReportKind::Junit => junit(report).map_err(|error| error.to_string()),
        };
        let written = text.and_then(|text| write_file(path, &text).map_err(|error| error.to_string()));
        if let Err(error) = written {
            complain(format_args!("cannot write {}: {error}", path.display()));
            all = Err(ExitStatus::HarnessError);
        }
    }
    all
}
