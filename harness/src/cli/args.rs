//! Flags and commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Proves that a Kubernetes IAM metadata proxy hands each pod exactly the AWS role it may have.
///
/// Without a command it runs the whole suite in the embedded world: no Docker, no cluster, seconds.
#[derive(Debug, Parser)]
#[command(name = "rolecall", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) suite: SuiteArgs,
}

const EXAMPLES: &str = "\
Examples:
  rolecall                                       run the whole suite
  rolecall run kube2iam/                         run every scenario of a chapter
  rolecall run kube2iam/no-permission            run one
  rolecall run my-case.yaml                      run a file of your own
  rolecall run --report json=report.json         write a report as well
  rolecall run --proxy-binary ./kube2iam         put another proxy to the test
  rolecall list                                  what there is
  rolecall lint my-case.yaml                     check files without running them
  rolecall proxy --help                          the bundled proxy's own flags

Exit codes of run and lint:
  0 all as expected   1 an expectation failed   2 usage   3 a scenario file is invalid
  4 nothing ran   5 the world could not start   6 rolecall itself failed   130 interrupted";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios and say what held, what did not and why
    Run(RunArgs),
    /// List scenarios
    List(ListArgs),
    /// Check scenario files without running them
    Lint(LintArgs),
}

/// Where the suite is.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SuiteArgs {
    /// Folder with `scenarios/` and `fixtures/`; by default this folder, one above it, or the program's own
    #[arg(long, value_name = "DIR", env = "ROLECALL_SUITE", global = true)]
    pub(crate) suite: Option<PathBuf>,
}

/// `run`
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    /// Names, prefixes of names (`kube2iam/`), files or folders; everything if none is given
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// Write a report: `json=FILE`; may be given several times
    #[arg(long = "report", value_name = "KIND=FILE", value_parser = report)]
    pub(crate) reports: Vec<ReportArg>,
    /// Scenarios at the same time [default: two for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// Test this program instead of the bundled proxy; it must take kube2iam's flags
    #[arg(long, value_name = "PATH")]
    pub(crate) proxy_binary: Option<PathBuf>,
    /// Further arguments for --proxy-binary
    #[arg(last = true, value_name = "ARGS", requires = "proxy_binary")]
    pub(crate) proxy_arguments: Vec<String>,
    /// Let the AWS front decide and record, but let everything pass: a test of the suite itself, which then must fail
    #[arg(long, hide = true)]
    pub(crate) no_enforcement: bool,
}

const RUN_EXAMPLES: &str = "\
Examples:
  rolecall run
  rolecall run kops/ kube2iam/no-permission
  rolecall run --jobs 1 --report json=target/report.json
  rolecall run --proxy-binary ./kube2iam -- --log-level=debug";

/// `list`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ListArgs {
    /// Names, prefixes of names, files or folders; everything if none is given
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// One JSON array instead of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// `lint`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LintArgs {
    /// Names, prefixes of names, files or folders; everything if none is given
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
}

/// A report that is to be written.
#[derive(Clone, Debug)]
pub(crate) enum ReportArg {
    /// `json=FILE`
    Json(PathBuf),
}

fn report(text: &str) -> Result<ReportArg, String> {
    match text.split_once('=') {
        Some(("json", file)) if !file.is_empty() => Ok(ReportArg::Json(file.into())),
        Some((kind, _)) if kind != "json" => Err(format!("there is no report of kind `{kind}`; write json=FILE")),
        _ => Err("write json=FILE".to_owned()),
    }
}
