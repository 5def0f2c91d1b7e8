use super::{
    args::LintArgs,
    selection::{load_all, select},
    suite::Suite,
};
use crate::report::ExitStatus;

/// Checks files without running them.
pub(crate) fn lint(suite: &Suite, args: &LintArgs) -> ExitStatus {
    let checked = select(suite, &args.scenarios).and_then(|files| load_all(&files));
    match checked {
        Ok(scenarios) => {
            anstream::println!("{} scenario files are valid", scenarios.len());
            ExitStatus::AsExpected
        }
        Err(status) => status,
    }
}
