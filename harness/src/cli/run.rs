//! `rolecall run`: from files to an exit status.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rolecall_aws::Enforcement;
use tokio_util::sync::CancellationToken;

use super::{
    args::{ReportArg, RunArgs},
    main::complain,
    selection::{load_all, select},
    suite::Suite,
};
use crate::{
    plan::{Plan, plan},
    report::{ExitStatus, Fold, RunReport, TextWriter, write_json},
    run::{SuiteOptions, run_suite},
    subject::Subject,
    world::{
        WorldError,
        embedded::{EmbeddedWorlds, Ground, capabilities},
    },
};

/// Runs scenarios, says how each ended and writes the reports.
pub(crate) fn run(suite: &Suite, args: &RunArgs) -> ExitStatus {
    match try_run(suite, args) {
        Ok(status) | Err(status) => status,
    }
}

fn try_run(suite: &Suite, args: &RunArgs) -> Result<ExitStatus, ExitStatus> {
    let scenarios = load_all(&select(suite, &args.scenarios)?)?;
    let subject = subject(args)?;
    let world = capabilities();
    let plans: Vec<Plan> = scenarios
        .into_iter()
        .map(|scenario| plan(scenario, &world, &subject))
        .collect();
    for report in &args.reports {
        writable(report)?;
    }
    let own = std::env::current_exe().map_err(|error| {
        complain(format_args!(
            "cannot find this program's own file, which is its children's too: {error}"
        ));
        ExitStatus::NoWorld
    })?;
    // Before the first thread: a process with threads cannot enter a user namespace.
    let anything = plans.iter().any(|plan| matches!(plan, Plan::Run { .. }));
    let ground = if anything {
        Some(Ground::enter().map_err(no_world)?)
    } else {
        None
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            complain(format_args!("cannot start threads: {error}"));
            ExitStatus::NoWorld
        })?;
    let enforcement = if args.no_enforcement {
        Enforcement::Off
    } else {
        Enforcement::On
    };
    let fold = Fold::new("embedded", &subject.name(), !args.no_enforcement);
    let worlds = ground.map(|ground| EmbeddedWorlds {
        ground,
        subject,
        own,
        fixtures: suite.fixtures(),
        enforcement,
    });
    let (report, mut writer) = runtime.block_on(run_plans(worlds, plans, jobs(args), fold))?;
    // Threads that hold namespaces wait for work that will not come.
    runtime.shutdown_timeout(Duration::from_millis(100));
    let mut written = Ok(());
    for ReportArg::Json(path) in &args.reports {
        if let Err(error) = write_json(&report, path) {
            complain(format_args!("cannot write {}: {error}", path.display()));
            written = Err(ExitStatus::HarnessError);
        }
    }
    // A reader that went away (`| head`) is no reason to change the exit status.
    let _ = writer.summary(&report);
    written?;
    Ok(ExitStatus::of(&report))
}

fn subject(args: &RunArgs) -> Result<Subject, ExitStatus> {
    let Some(path) = &args.proxy_binary else {
        return Ok(Subject::Bundled);
    };
    // It is started from another folder, inside a node.
    match std::fs::canonicalize(path) {
        Ok(path) => Ok(Subject::Program {
            path,
            arguments: args.proxy_arguments.clone(),
        }),
        Err(error) => {
            complain(format_args!("--proxy-binary {}: {error}", path.display()));
            Err(ExitStatus::Usage)
        }
    }
}

fn jobs(args: &RunArgs) -> usize {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    args.jobs.map_or(processors * 2, usize::from)
}

fn no_world(error: WorldError) -> ExitStatus {
    complain(format_args!("the embedded world cannot start here: {error}"));
    ExitStatus::NoWorld
}

/// A run of minutes should not end with a report that cannot be written.
fn writable(report: &ReportArg) -> Result<(), ExitStatus> {
    let ReportArg::Json(path) = report;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let probe: PathBuf = folder.join(format!(".rolecall-{}", std::process::id()));
    let tried = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&probe, b""));
    let _ = std::fs::remove_file(&probe);
    tried.map_err(|error| {
        complain(format_args!(
            "the report {} cannot be written: {error}; choose another folder, or make this one writable",
            path.display()
        ));
        ExitStatus::NoWorld
    })
}

type Writer = TextWriter<anstream::AutoStream<std::io::Stdout>>;

async fn run_plans(
    worlds: Option<EmbeddedWorlds>,
    plans: Vec<Plan>,
    jobs: usize,
    fold: Fold,
) -> Result<(RunReport, Writer), ExitStatus> {
    let interrupted = CancellationToken::new();
    tokio::spawn(watch_for_interrupt(interrupted.clone()));
    let state = Arc::new(Mutex::new((fold, TextWriter::new(anstream::stdout()))));
    let listener = state.clone();
    let say = move |event| {
        let mut state = listener.lock().unwrap_or_else(PoisonError::into_inner);
        let (fold, writer) = &mut *state;
        if let Some(scenario) = fold.take(&event) {
            // A reader that went away (`| head`) does not end the run: its reports are still due.
            let _ = writer.scenario(scenario);
        }
    };
    let options = SuiteOptions { jobs, interrupted };
    match worlds {
        Some(worlds) => run_suite(Arc::new(worlds), plans, options, say).await,
        None => {
            for plan in plans {
                if let Plan::Skip { scenario, reason } = plan {
                    say(crate::run::Event::ScenarioEnded {
                        scenario,
                        verdict: crate::run::Verdict::Skipped(reason),
                        took: Duration::ZERO,
                        world_ready: None,
                    });
                }
            }
            drop(say);
        }
    }
    let state = Arc::into_inner(state).map(|state| state.into_inner().unwrap_or_else(PoisonError::into_inner));
    match state {
        Some((fold, writer)) => Ok((fold.finish(), writer)),
        None => Err(ExitStatus::HarnessError),
    }
}

/// The first Ctrl-C (or SIGTERM) ends the running scenarios, whose worlds end with them; a second one ends the process.
async fn watch_for_interrupt(interrupted: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return;
    };
    for first in [true, false] {
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
        if first {
            let _ = writeln!(std::io::stderr(), "interrupted: cleaning up (once more to end at once)");
            interrupted.cancel();
        } else {
            std::process::exit(130);
        }
    }
}
