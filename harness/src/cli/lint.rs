use super::{
    args::LintArgs,
    main::complain,
    selection::{load_selected, warn},
    suite::Suite,
};
use crate::report::ExitStatus;

/// Checks files without running them.
pub(crate) fn lint(suite: &Suite, args: &LintArgs) -> ExitStatus {
    let scenarios = match load_selected(suite, &args.selection) {
        Ok(scenarios) => scenarios,
        Err(status) => return status,
    };
    let warnings = warn(&scenarios);
    if args.deny_warnings && warnings > 0 {
        let warnings = match warnings {
            1 => "1 warning".to_owned(),
            several => format!("{several} warnings"),
        };
        complain(format_args!("{warnings}, and --deny-warnings takes them for errors"));
        return ExitStatus::InvalidScenario;
    }
    anstream::println!("{} scenario files are valid", scenarios.len());
    ExitStatus::AsExpected
}
