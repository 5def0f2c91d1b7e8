use std::process::ExitCode;

use super::{RunReport, VerdictWord};

/// What `rolecall` ends with; scripts may rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitStatus {
    /// All as expected; some may have been skipped beside those that passed.
    AsExpected = 0,
    /// An expectation failed: the subject is wrong.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A scenario file is invalid.
    InvalidScenario = 3,
    /// Nothing ran: nothing was selected, or all of it was skipped.
    NothingRan = 4,
    /// The world could not start here.
    NoWorld = 5,
    /// The harness itself failed.
    HarnessError = 6,
    /// Ctrl-C.
    Interrupted = 130,
}

// === impl ExitStatus ===

impl ExitStatus {
    /// What a run ends with. Of several the first of: interrupted, harness error, no world, failed.
    pub(crate) fn of(report: &RunReport) -> Self {
        let any = |word| report.scenarios.iter().any(|scenario| scenario.verdict == word);
        if any(VerdictWord::Interrupted) {
            Self::Interrupted
        } else if any(VerdictWord::Error) {
            Self::HarnessError
        } else if any(VerdictWord::Failed) || !report.unsteady.is_empty() {
            Self::Failed
        } else if any(VerdictWord::Passed) {
            Self::AsExpected
        } else {
            Self::NothingRan
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}
