//! `rolecall doctor`: whether this machine can run scenarios, found out by trying.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddrV4},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use rolecall_namespaces::{Inside, Namespace, PidNamespace, enter_user_namespace};
use rolecall_proxy::intercept;
use serde::{Deserialize, Serialize};

use super::{args::DoctorArgs, kind::WorldArg, main::print_json, suite::Suite};
use crate::{
    report::{ExitStatus, try_folder},
    world,
};

/// One thing that was found out.
#[derive(Clone, Debug, Serialize)]
struct Check {
    check: String,
    /// `None` if it could not be tried, because of another.
    ok: Option<bool>,
    /// Whether the world needs it.
    needed: bool,
    /// What was found.
    found: String,
    /// What to do where it is not ok.
    remedy: Option<String>,
}

/// What is tried in a process of its own, in this order. The first three stand on one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Trial {
    User,
    Processes,
    Network,
    Nat,
    Run,
}

/// How a trial went.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tried {
    trial: Trial,
    error: Option<String>,
}

/// How long the trials may take together; they take milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Programs that a scenario or a world may want, and what for.
const PROGRAMS: [(&str, &str); 4] = [
    ("aws", "for scenarios with `exec: aws …`"),
    ("docker", "for a kind cluster; the embedded world does without"),
    ("kind", "for a kind cluster; the embedded world does without"),
    ("kubectl", "for a kind cluster; the embedded world does without"),
];

/// Says what this machine can do: 0 if the world can run, else 5.
pub(crate) fn doctor(suite: &Suite, args: &DoctorArgs) -> ExitStatus {
    let mut checks = match args.world {
        WorldArg::Embedded => namespaces(),
        WorldArg::Kind => kind(),
    };
    checks.push(suite_check(suite));
    checks.push(output_check(&args.output.folder()));
    let known: Vec<String> = checks.iter().map(|check| check.check.clone()).collect();
    let programs = PROGRAMS
        .iter()
        .filter(|(name, _)| !known.iter().any(|known| known.eq_ignore_ascii_case(name)));
    checks.extend(programs.map(|(name, purpose)| program_check(name, purpose)));
    if args.json {
        let printed = print_json(&checks);
        if printed != ExitStatus::AsExpected {
            return printed;
        }
    } else {
        show(&checks);
    }
    let able = checks.iter().all(|check| !check.needed || check.ok == Some(true));
    if able {
        ExitStatus::AsExpected
    } else {
        ExitStatus::NoWorld
    }
}

fn show(checks: &[Check]) {
    let width = checks
        .iter()
        .map(|check| check.check.chars().count())
        .max()
        .unwrap_or_default();
    for check in checks {
        let (word, colour) = match check.ok {
            Some(true) => ("ok", anstyle::AnsiColor::Green),
            Some(false) if check.needed => ("no", anstyle::AnsiColor::Red),
            Some(false) => ("no", anstyle::AnsiColor::Yellow),
            None => ("? ", anstyle::AnsiColor::Yellow),
        };
        let style = colour.on_default().bold();
        anstream::println!("{style}{word}{style:#}  {:width$}  {}", check.check, check.found);
        for line in check.remedy.iter().flat_map(|remedy| remedy.lines()) {
            anstream::println!("    {:width$}  = {line}", "");
        }
    }
}

/// What the kind world is made of.
fn kind() -> Vec<Check> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let mut check = Check::new("Docker", Some(false), format!("cannot be asked: {error}"));
            check.needed = true;
            return vec![check];
        }
    };
    let found = runtime.block_on(world::kind::examine());
    let check = |finding: world::kind::Finding| Check {
        check: finding.what.to_owned(),
        ok: Some(finding.ok),
        needed: finding.needed,
        found: finding.found,
        remedy: finding.remedy,
    };
    found.into_iter().map(check).collect()
}

/// What the embedded world is made of, tried in a child.
fn namespaces() -> Vec<Check> {
    let tried = match run_probe() {
        Ok(tried) => tried,
        Err(error) => {
            let mut check = Check::new("namespaces", Some(false), format!("cannot be tried: {error}"));
            check.needed = true;
            return vec![check];
        }
    };
    let all = [
        (Trial::User, "user namespaces", "a process can enter its own"),
        (Trial::Processes, "PID namespaces", "what a run starts ends with it"),
        (
            Trial::Network,
            "network namespaces",
            "a host with a bridge that forwards",
        ),
        (Trial::Nat, "NAT by nf_tables", "a rule can be put there and taken away"),
        (Trial::Run, "a private /run", "a tmpfs can be mounted there"),
    ];
    let check = |(trial, name, good): (Trial, &str, &str)| {
        let mut check = match tried.iter().find(|tried| tried.trial == trial) {
            Some(Tried { error: None, .. }) => Check::new(name, Some(true), good),
            Some(Tried { error: Some(error), .. }) => Check::new(name, Some(false), error).remedy(remedy(trial)),
            None => Check::new(name, None, "not tried, because of the above"),
        };
        check.needed = true;
        check
    };
    all.into_iter().map(check).collect()
}

/// What to do where a trial fails. The settings that forbid namespaces are in the error itself, each with its remedy.
fn remedy(trial: Trial) -> &'static str {
    match trial {
        Trial::User | Trial::Processes => "run it as root, or outside the container, where no setting is named",
        Trial::Network => "a container needs --privileged, so that /proc/sys/net can be written",
        Trial::Nat => "the kernel needs nf_tables with NAT: `sudo modprobe -a nf_tables nft_chain_nat nft_nat`",
        Trial::Run => "the folder /run must be there, and mounts allowed (no AppArmor or seccomp rule against them)",
    }
}

fn run_probe() -> std::io::Result<Vec<Tried>> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("doctor-probe")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take();
    let (line, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for text in output.into_iter().flat_map(|output| BufReader::new(output).lines()) {
            let Ok(text) = text else { break };
            let _ = line.send(text);
        }
    });
    let mut tried = Vec::new();
    // The channel closes when the child ends, by whatever.
    while let Ok(text) = lines.recv_timeout(PATIENCE) {
        tried.extend(serde_json::from_str::<Tried>(&text).ok());
    }
    let _ = child.kill();
    child.wait()?;
    Ok(tried)
}

/// The child of [`doctor`]: tries, and says how each trial went as it goes.
pub(crate) fn doctor_probe() -> ExitStatus {
    fn say<T>(trial: Trial, result: Result<T, impl std::fmt::Display>) -> Option<T> {
        let (value, error) = match result {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error.to_string())),
        };
        if let Ok(text) = serde_json::to_string(&Tried { trial, error }) {
            let _ = writeln!(std::io::stdout(), "{text}");
        }
        value
    }
    let tried = (|| {
        say(Trial::User, enter_user_namespace())?;
        let processes = say(Trial::Processes, PidNamespace::fork())?;
        let host = Namespace::new("doctor", &processes).and_then(|host| {
            host.run(|inside| inside.bridge("cbr0", Ipv4Addr::new(10, 244, 1, 1).into(), 24))??;
            Ok(host)
        });
        let host = say(Trial::Network, host)?;
        let in_host = |trial, job: fn(&Inside) -> Result<(), String>| match host.run(job) {
            Ok(result) => say(trial, result),
            Err(error) => say(trial, Err(error)),
        };
        let nat = in_host(Trial::Nat, |_| try_nat());
        let run = in_host(Trial::Run, |inside| {
            inside.mount_run_tmpfs().map(drop).map_err(|error| error.to_string())
        });
        nat.and(run)
    })();
    match tried {
        Some(()) => ExitStatus::AsExpected,
        None => ExitStatus::NoWorld,
    }
}

fn try_nat() -> Result<(), String> {
    let metadata = SocketAddrV4::new(Ipv4Addr::new(169, 254, 169, 254), 80);
    let to = SocketAddrV4::new(Ipv4Addr::new(10, 244, 1, 1), 8181);
    let rule = intercept::Rule::new("cbr0", metadata, to).map_err(|error| error.to_string())?;
    intercept::install(&rule)
        .and_then(|()| intercept::uninstall())
        .map_err(|error| error.to_string())
}

fn suite_check(suite: &Suite) -> Check {
    match suite.root().filter(|root| root.join("scenarios").is_dir()) {
        Some(root) => Check::new("the suite", Some(true), root.display().to_string()),
        None => Check::new(
            "the suite",
            Some(false),
            "there is no folder `scenarios` here, above, or beside the program",
        )
        .remedy("say where it is with --suite DIR; a file of your own can be run without it"),
    }
}

fn output_check(output: &Path) -> Check {
    let shown = output.display();
    let mut check = match try_folder(output) {
        Ok(()) => Check::new("the output folder", Some(true), shown.to_string()),
        Err(error) => Check::new(
            "the output folder",
            Some(false),
            format!("{shown} cannot be written: {error}"),
        )
        .remedy("choose another with --output DIR, or make it writable"),
    };
    check.needed = true;
    check
}

fn program_check(name: &str, purpose: &str) -> Check {
    match found(name) {
        Some(path) => Check::new(name, Some(true), path.display().to_string()),
        None => Check::new(name, Some(false), format!("not found; {purpose}")),
    }
}

/// Where a program is, as a shell looks for it.
fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file() && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok())
}

// === impl Check ===

impl Check {
    fn new(check: &str, ok: Option<bool>, found: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            ok,
            needed: false,
            found: found.into(),
            remedy: None,
        }
    }

    fn remedy(mut self, remedy: &str) -> Self {
        self.remedy = Some(remedy.to_owned());
        self
    }
}
