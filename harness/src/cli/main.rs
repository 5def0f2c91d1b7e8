use std::{ffi::OsString, io::Write};

use clap::{CommandFactory, Parser, error::ErrorKind};
use tracing_subscriber::EnvFilter;

use super::{
    args::{Cli, Command},
    compare::compare,
    doctor::{doctor, doctor_probe},
    explain::explain,
    lint::lint,
    list::list,
    progress::LogWriter,
    run::run,
    serve::{image, serve},
    suite::Suite,
    sweep::sweep,
    why::why,
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
    log(cli.log.as_deref());
    let suite = Suite::find(cli.suite.suite.as_deref());
    match cli.command.unwrap_or_else(|| Command::Run(Box::default())) {
        Command::Run(args) => run(&suite, &args),
        Command::List(args) => list(&suite, &args),
        Command::Lint(args) => lint(&suite, &args),
        Command::Explain(args) => explain(&suite, &args),
        Command::Schema => print_json(&rolecall_scenario::schema()),
        Command::Doctor(args) => doctor(&suite, &args),
        Command::DoctorProbe => doctor_probe(),
        Command::Compare(args) => compare(&args),
        Command::Why(args) => why(&args),
        Command::Serve(args) => serve(*args),
        Command::Image(args) => image(args),
        Command::Sweep(args) => sweep(&args),
        Command::Completions(args) => {
            let mut text = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "rolecall", &mut text);
            // A reader that went away (`| head`) is no failure.
            let _ = std::io::stdout().write_all(&text);
            ExitStatus::AsExpected
        }
    }
}

/// Prints what is for machines.
pub(super) fn print_json(value: &impl serde::Serialize) -> ExitStatus {
    match serde_json::to_string_pretty(value) {
        Ok(text) => {
            anstream::println!("{text}");
            ExitStatus::AsExpected
        }
        Err(error) => {
            complain(error);
            ExitStatus::HarnessError
        }
    }
}

/// What the harness itself has to say goes to standard error, as much as `--log`, else RUST_LOG, asks for.
fn log(wanted: Option<&str>) {
    let filter = wanted.and_then(|wanted| EnvFilter::try_new(wanted).ok());
    let filter = filter.or_else(|| EnvFilter::try_from_default_env().ok());
    tracing_subscriber::fmt()
        .with_writer(|| LogWriter)
        .with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never)
        .with_env_filter(filter.unwrap_or_else(|| "error".into()))
        .init();
}

/// Says to standard error what went wrong and what to do.
pub(super) fn complain(message: impl std::fmt::Display) {
    let mut err = anstream::stderr();
    let style = anstyle::AnsiColor::Red.on_default().bold();
    // A standard error that is closed is nobody's to hear.
    let _ = writeln!(err, "{style}error{style:#}: {message}");
}
