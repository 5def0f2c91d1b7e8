//! `rolecall run`: from files to an exit status.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rolecall_aws::Enforcement;

use super::{
    args::RunArgs,
    interrupt::Interrupt,
    kind::{self, WorldArg},
    main::complain,
    output::{run_folder, try_reports, write_reports},
    screen::{Over, Screen, ScreenOptions},
    selection::{load_selected, warn},
    suite::Suite,
};
use crate::{
    plan::{Plan, plan},
    report::{ExitStatus, Fold, RunFacts, quoted},
    run::{SuiteOptions, run_suite, skip},
    subject::Subject,
    world::{
        self, WorldError, Worlds,
        embedded::{EmbeddedWorlds, Graveyard, Ground, capabilities},
    },
};

/// Of each thread. Reading a pod from JSON inside a world's futures takes more than the usual 2 MiB where nothing is optimised.
const STACK: usize = 16 << 20;

/// Runs scenarios, says how each ended and writes the reports.
pub(crate) fn run(suite: &Suite, args: &RunArgs) -> ExitStatus {
    match try_run(suite, args) {
        Ok(status) | Err(status) => status,
    }
}

fn try_run(suite: &Suite, args: &RunArgs) -> Result<ExitStatus, ExitStatus> {
    let scenarios = load_selected(suite, &args.selection)?;
    let in_kind = args.world == WorldArg::Kind;
    if args.keep && !in_kind && scenarios.len() != 1 {
        complain(format_args!(
            "--keep holds the world of one scenario, and {} are selected; name one (`rolecall list` shows them all)",
            scenarios.len()
        ));
        return Err(ExitStatus::Usage);
    }
    warn(&scenarios);
    let subject = subject(args)?;
    if in_kind && args.proxy_binary.is_some() {
        complain("--proxy-binary is for the embedded world; in kind the proxy is an image: give it with --proxy-image");
        return Err(ExitStatus::Usage);
    }
    let mut world = if in_kind {
        world::kind::capabilities()
    } else {
        capabilities(&scenarios)
    };
    if in_kind && args.localstack.is_some() {
        complain("--localstack is for the embedded world; kind has a LocalStack of its own");
        return Err(ExitStatus::Usage);
    }
    if in_kind && args.vault_binary.is_some() {
        complain("--vault-binary is for the embedded world; kind has a real Vault of its own");
        return Err(ExitStatus::Usage);
    }
    let vault_binary = args
        .vault_binary
        .as_ref()
        .map(|path| program("--vault-binary", path, "a Vault server"))
        .transpose()?;
    if let Some(vault) = &vault_binary {
        world.fix_clock("vault", format!("{} has no clock that can be moved", vault.display()));
    }
    let mut plans: Vec<Plan> = scenarios
        .into_iter()
        .map(|scenario| plan(scenario, &world, &subject, args.real_time))
        .collect();
    if in_kind {
        plans = kind::plans(plans);
    }
    let own = std::env::current_exe().map_err(|error| {
        complain(format_args!(
            "cannot find this program's own file, which is its children's too: {error}"
        ));
        ExitStatus::NoWorld
    })?;
    // Before the first thread: a process with threads cannot enter a user namespace.
    let anything = plans.iter().any(|plan| matches!(plan, Plan::Run { .. }));
    let ground = if anything && !in_kind {
        Some(Ground::enter().map_err(no_world)?)
    } else {
        None
    };
    let repeats = args.repeat.unwrap_or(1);
    let mut fold = Fold::new(RunFacts {
        world: match (in_kind, &args.localstack) {
            (true, _) => "kind",
            (false, Some(_)) => "embedded+localstack",
            (false, None) => "embedded",
        }
        .to_owned(),
        subject: subject.name(),
        enforcement: !args.no_enforcement,
        repeats,
        flags: flags(suite, args),
    });
    // In the user namespace, where root may write less than before.
    try_reports(&args.reports)?;
    let folder = run_folder(&args.output.folder(), fold.run())?;
    let worlds = ground.map(|ground| EmbeddedWorlds {
        ground,
        subject: subject.clone(),
        own,
        fixtures: suite.fixtures(),
        enforcement: if args.no_enforcement {
            Enforcement::Off
        } else {
            Enforcement::On
        },
        real_time: args.real_time,
        vault_binary: vault_binary.clone(),
        upstream: args.localstack.clone(),
        graveyard: Graveyard::default(),
    });
    let interrupt = Interrupt::default();
    let options = SuiteOptions {
        // One cluster has one subject, and one LocalStack has one of each bucket's name.
        jobs: if in_kind || args.localstack.is_some() {
            1
        } else {
            jobs(args)
        },
        repeats,
        hold: args.keep && !in_kind,
        stop: interrupt.stop.clone(),
    };
    let of = plans.iter().map(|plan| match plan {
        Plan::Run { .. } => repeats as usize,
        Plan::Skip { .. } => 1,
    });
    let shown = ScreenOptions {
        verbose: args.verbose,
        repeats,
        of: of.sum(),
        interrupt: interrupt.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map_err(|error| {
            complain(format_args!("cannot start threads: {error}"));
            ExitStatus::NoWorld
        })?;
    let mut over = runtime.block_on(async {
        tokio::spawn(interrupt.clone().watch());
        if !in_kind || !anything {
            return run_plans(worlds, plans, options, Screen::new(fold, folder, shown)).await;
        }
        let chosen: Vec<_> = plans.iter().filter_map(Plan::to_run).cloned().collect();
        let worlds = kind::bring_up(suite, args, subject, &chosen, fold.run(), &interrupt).await?;
        fold.made_of(worlds.ground.versions.clone());
        let plans = kind::plans_there(plans, &worlds);
        let over = run_plans(Some(worlds.clone()), plans, options, Screen::new(fold, folder, shown)).await;
        kind::end(&worlds).await;
        over
    })?;
    // Threads that hold namespaces wait for work that will not come.
    runtime.shutdown_timeout(Duration::from_millis(100));
    let written = write_reports(&over.report, &args.reports);
    over.summary();
    written?;
    match ExitStatus::of(&over.report) {
        ExitStatus::Interrupted => Ok(ExitStatus::Interrupted),
        _ if over.incomplete => Err(ExitStatus::HarnessError),
        status => Ok(status),
    }
}

fn subject(args: &RunArgs) -> Result<Subject, ExitStatus> {
    let Some(path) = &args.proxy_binary else {
        return Ok(Subject::Bundled);
    };
    Ok(Subject::Program {
        path: program("--proxy-binary", path, "a program that takes kube2iam's flags")?,
        arguments: args.proxy_arguments.clone(),
    })
}

/// The file of a program that a flag names. It is started from another folder, inside a host of the world.
fn program(flag: &str, path: &Path, give: &str) -> Result<PathBuf, ExitStatus> {
    let unusable = |why: &dyn std::fmt::Display| {
        complain(format_args!("{flag} {}: {why}; give {give}", path.display()));
        ExitStatus::Usage
    };
    let program = std::fs::canonicalize(path).map_err(|error| unusable(&error))?;
    let about = std::fs::metadata(&program).map_err(|error| unusable(&error))?;
    if !about.is_file() {
        return Err(unusable(&"this is not a file"));
    }
    if about.permissions().mode() & 0o111 == 0 {
        return Err(unusable(&"this file is not executable"));
    }
    Ok(program)
}

/// What was given that a failure depends on, as it must be given again.
fn flags(suite: &Suite, args: &RunArgs) -> String {
    let mut flags = String::new();
    let mut flag = |name: &str, path: &PathBuf| {
        flags.push_str(&format!(" {name} {}", quoted(&path.display().to_string())));
    };
    if let Some(root) = suite.given() {
        flag("--suite", root);
    }
    if let Some(path) = &args.proxy_binary {
        flag("--proxy-binary", path);
    }
    if let Some(upstream) = &args.localstack {
        flag("--localstack", &PathBuf::from(upstream.to_string()));
    }
    if let Some(path) = &args.vault_binary {
        flag("--vault-binary", path);
    }
    if args.no_enforcement {
        flags.push_str(" --no-enforcement");
    }
    if args.world == WorldArg::Kind {
        flags.push_str(" --world kind");
        let chosen = [
            ("--cluster", &args.kind.cluster),
            ("--proxy-image", &args.kind.proxy_image),
            ("--tools-image", &args.kind.tools_image),
        ];
        for (name, value) in chosen {
            if let Some(value) = value {
                flags.push_str(&format!(" {name} {}", quoted(value)));
            }
        }
    }
    if !args.proxy_arguments.is_empty() {
        flags.push_str(" --");
    }
    for argument in &args.proxy_arguments {
        flags.push(' ');
        flags.push_str(&quoted(argument));
    }
    flags
}

/// Scenarios wait more than they work: what must hold has to be watched for a while.
const JOBS_FOR_EACH_PROCESSOR: usize = 8;

fn jobs(args: &RunArgs) -> usize {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    args.jobs.map_or(processors * JOBS_FOR_EACH_PROCESSOR, usize::from)
}

fn no_world(error: WorldError) -> ExitStatus {
    complain(format_args!(
        "the embedded world cannot start here: {error}\n   = `rolecall doctor` tells what this machine can do"
    ));
    ExitStatus::NoWorld
}

async fn run_plans<W: Worlds>(
    worlds: Option<W>,
    plans: Vec<Plan>,
    options: SuiteOptions,
    screen: Screen,
) -> Result<Over, ExitStatus> {
    let screen = Arc::new(Mutex::new(screen));
    let listener = screen.clone();
    let say = move |happened| {
        let mut screen = listener.lock().unwrap_or_else(PoisonError::into_inner);
        screen.take(&happened);
    };
    match worlds {
        Some(worlds) => run_suite(Arc::new(worlds), plans, options, say).await,
        None => {
            for plan in plans {
                if let Plan::Skip { scenario, reason } = plan {
                    skip(scenario, reason, &say);
                }
            }
            drop(say);
        }
    }
    let screen = Arc::into_inner(screen).map(|screen| screen.into_inner().unwrap_or_else(PoisonError::into_inner));
    screen.map(Screen::finish).ok_or(ExitStatus::HarnessError)
}
