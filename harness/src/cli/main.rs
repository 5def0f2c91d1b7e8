use std::{ffi::OsString, io::Write};

use clap::{Parser, error::ErrorKind};

use super::{
    args::{Cli, Command, RunArgs},
    lint::lint,
    list::list,
    run::run,
    suite::Suite,
};
use crate::report::ExitStatus;

/// The command line, from words to an exit status.
pub(crate) fn main(arguments: Vec<OsString>) -> ExitStatus {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, all else is wrong usage.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitStatus::AsExpected,
                _ => ExitStatus::Usage,
            };
        }
    };
    let suite = Suite::find(cli.suite.suite.as_deref());
    match cli.command.unwrap_or_else(|| Command::Run(RunArgs::default())) {
        Command::Run(args) => run(&suite, &args),
        Command::List(args) => list(&suite, &args),
        Command::Lint(args) => lint(&suite, &args),
    }
}

/// Says to standard error what went wrong and what to do.
pub(super) fn complain(message: impl std::fmt::Display) {
    let mut err = anstream::stderr();
    let style = anstyle::AnsiColor::Red.on_default().bold();
    // A standard error that is closed is nobody's to hear.
    let _ = writeln!(err, "{style}error{style:#}: {message}");
}
