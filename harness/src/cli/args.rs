//! Flags and commands.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, value_parser};
use clap_complete::Shell;

use super::{
    examples as text,
    kind::{KindArgs, WorldArg},
};
use crate::{image::ImageArgs, serve::ServeArgs};

/// Proves that a Kubernetes IAM metadata proxy hands each pod exactly the AWS role it may have.
///
/// Without a command it runs the whole suite in the embedded world: no Docker, no cluster, seconds.
#[derive(Debug, Parser)]
#[command(name = "rolecall", version, after_help = text::ALL)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) suite: SuiteArgs,
    /// What the harness says of its own doings on standard error: `error` `warn` `info` `debug` `trace`, or a filter as
    /// in `rolecall=debug,kube=info` [default: RUST_LOG, or error]
    #[arg(long, value_name = "LEVEL", global = true, value_parser = log_filter)]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios and say what held, what did not and why
    Run(Box<RunArgs>),
    /// List scenarios
    List(ListArgs),
    /// Check scenario files without running them
    Lint(LintArgs),
    /// Say in words what scenarios do
    Explain(ExplainArgs),
    /// Print the JSON Schema of scenario files, for editors
    #[command(after_help = text::SCHEMA)]
    Schema,
    /// Say whether this machine can run scenarios, and what to do where it cannot
    Doctor(DoctorArgs),
    /// Say why a request to AWS was allowed or denied: after a failed run, or asking a running `serve aws`
    #[command(after_help = text::WHY)]
    Why(WhyArgs),
    /// Say which scenarios became better or worse between two JSON reports
    #[command(after_help = text::COMPARE)]
    Compare(CompareArgs),
    /// Serve AWS, the metadata service or Kubernetes as tools of their own
    Serve(Box<ServeArgs>),
    /// Build container images of the proxy and of the tools, without a Dockerfile or a registry
    Image(ImageArgs),
    /// Remove what killed runs left half done
    Sweep(SweepArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// What `doctor` tries in a process of its own
    #[command(hide = true)]
    DoctorProbe,
}

/// Where the suite is.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SuiteArgs {
    /// Folder with `scenarios/` and `fixtures/`; by default this folder, one above it, or the program's own
    #[arg(long, value_name = "DIR", env = "ROLECALL_SUITE", global = true)]
    pub(crate) suite: Option<PathBuf>,
}

/// Which scenarios.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SelectionArgs {
    /// Names, prefixes of names (`kube2iam/`), files or folders; everything if none is given
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// Only scenarios with this tag; several times: with any of them
    #[arg(long = "tag", value_name = "WORD")]
    pub(crate) tags: Vec<String>,
}

/// Where a run puts its files.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OutputArgs {
    /// Folder for the files of what failed, made when something does [default: target/rolecall]
    #[arg(long, value_name = "DIR", env = "ROLECALL_OUTPUT")]
    output: Option<PathBuf>,
}

/// `run`
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = text::RUN)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// Where to run them
    #[arg(long, value_enum, value_name = "WORLD", default_value_t)]
    pub(crate) world: WorldArg,
    /// Write a report: `json=FILE` or `junit=FILE`; may be given several times
    #[arg(long = "report", value_name = "KIND=FILE", value_parser = report)]
    pub(crate) reports: Vec<ReportArg>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Scenarios at the same time [default: eight for each processor]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// Run each scenario N times; one that does not always end alike fails the run
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: Option<u32>,
    /// Let the world of the one scenario stand after its last step, until Ctrl-C, and say how to enter it; in kind, let the
    /// cluster and the containers stay for `sweep`
    #[arg(long, conflicts_with = "repeat")]
    pub(crate) keep: bool,
    /// Say each step as it ends
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Test this program instead of the bundled proxy; it must take kube2iam's flags
    #[arg(long, value_name = "PATH")]
    pub(crate) proxy_binary: Option<PathBuf>,
    /// Further arguments for --proxy-binary
    #[arg(last = true, value_name = "ARGS", requires = "proxy_binary")]
    pub(crate) proxy_arguments: Vec<String>,
    /// Put this LocalStack behind the AWS front, such as http://127.0.0.1:4566; scenarios then run one after another, and
    /// each removes what it made there
    #[arg(long, value_name = "URL", value_parser = rolecall_aws::Upstream::new)]
    pub(crate) localstack: Option<rolecall_aws::Upstream>,
    /// Run this Vault in the vpc, in the emulator's place; scenarios that move its clock are skipped
    #[arg(long, value_name = "PATH")]
    pub(crate) vault_binary: Option<PathBuf>,
    /// Let `advance` wait instead of moving clocks, for a proxy whose clock cannot be moved
    #[arg(long)]
    pub(crate) real_time: bool,
    /// Let the AWS front decide and record, but let everything pass: a test of the suite itself, which then must fail
    #[arg(long, hide = true)]
    pub(crate) no_enforcement: bool,
    #[command(flatten)]
    pub(crate) kind: KindArgs,
}

/// `list`
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = text::LIST)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// One JSON array instead of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// `lint`
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = text::LINT)]
pub(crate) struct LintArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// Take a file with a warning for an invalid one
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

/// `explain`
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = text::EXPLAIN)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
}

/// `doctor`
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = text::DOCTOR)]
pub(crate) struct DoctorArgs {
    /// The world that is to run
    #[arg(long, value_enum, value_name = "WORLD", default_value_t)]
    pub(crate) world: WorldArg,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// One JSON array instead of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// `why`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WhyArgs {
    /// The id that the answer carried (`x-amzn-requestid`, of S3 `x-amz-request-id`), or its beginning; without it, what
    /// was refused is listed
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Ask the control listener of a running `rolecall serve aws`, with the token in ROLECALL_CONTROL_TOKEN
    #[arg(long, value_name = "URL")]
    pub(crate) control: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// The whole records, as a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// `compare`
#[derive(Clone, Debug, Args)]
pub(crate) struct CompareArgs {
    /// The report to compare with
    #[arg(value_name = "OLD.json")]
    pub(crate) old: PathBuf,
    /// The report of the run that is judged
    #[arg(value_name = "NEW.json")]
    pub(crate) new: PathBuf,
    /// The reports are of two worlds: show every verdict of both; what only one of them can run is no difference
    #[arg(long)]
    pub(crate) side_by_side: bool,
    /// Also write a table in Markdown, as for the summary of a job
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
}

/// `sweep`
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = text::SWEEP)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Further folders in which reports were being written [default: this one]
    #[arg(value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    /// Only what this run left, by the name that its folder has; without it, what every killed run left
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Only say what would be removed
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) dry_run: bool,
}

/// `completions`
#[derive(Clone, Debug, Args)]
#[command(after_help = text::COMPLETIONS)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// A report that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct ReportArg {
    pub(crate) kind: ReportKind,
    pub(crate) path: PathBuf,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportKind {
    Json,
    Junit,
}

// === impl OutputArgs ===

impl OutputArgs {
    /// The folder, `target/rolecall` below the current one if none is given.
    pub(crate) fn folder(&self) -> PathBuf {
        self.output.clone().unwrap_or_else(|| PathBuf::from("target/rolecall"))
    }
}

fn report(text: &str) -> Result<ReportArg, String> {
    const WRITE: &str = "write json=FILE or junit=FILE";
    let (kind, file) = text.split_once('=').ok_or(WRITE)?;
    let kind = match kind {
        "json" => ReportKind::Json,
        "junit" => ReportKind::Junit,
        _ => return Err(format!("there is no report of kind `{kind}`; {WRITE}")),
    };
    if file.is_empty() {
        return Err(WRITE.to_owned());
    }
    Ok(ReportArg {
        kind,
        path: file.into(),
    })
}

fn log_filter(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        // A word that is no level would be read as the name of a crate, and silence everything.
        Ok(_) if text.contains(['=', ',', ':']) || text.parse::<tracing::level_filters::LevelFilter>().is_ok() => {
            Ok(text.to_owned())
        }
        Ok(_) => Err("write error, warn, info, debug, trace or off, or a filter such as rolecall=debug".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
