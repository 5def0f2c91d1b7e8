//! What copies of this program do.

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    process::{Command, ExitCode, Output, Stdio},
    time::Duration,
};

use rolecall_namespaces::{PidNamespace, enter_user_namespace};

use crate::scene::Scene;

const PART: &str = "ROLECALL_NAMESPACES_PART";

/// This very program, also where its path cannot be walked by another user.
pub(crate) const PROGRAM: &str = "/proc/self/exe";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// Runs all trials once more and starts no further copy of that kind.
    Suite,
    /// Builds a world with a waiting program in a pod, writes the ids of the init and the program. When its input
    /// ends, it drops the PID namespace, and waits.
    World,
    /// Connects to the address in ROLECALL_NAMESPACES_ADDRESS and writes what it is told.
    Ask,
    /// Writes its own process id and what is in /run.
    Look,
    /// Waits to be killed.
    Wait,
}

/// The part of this process, if it is a copy that is not to run the trials.
pub(crate) fn part() -> Option<Part> {
    match env::var(PART).ok()?.as_str() {
        "world" => Some(Part::World),
        "ask" => Some(Part::Ask),
        "look" => Some(Part::Look),
        "wait" => Some(Part::Wait),
        _ => None,
    }
}

/// All trials as uid and gid 65534; none if this is not root, which may become nobody else, or if this is that copy.
pub(crate) fn suite_as_an_ordinary_user() -> Option<Output> {
    if env::var_os(PART).is_some() || !nix::unistd::geteuid().is_root() || env::args().any(|arg| arg == "--list") {
        return None;
    }
    let mut command = Part::Suite.command();
    command.uid(65534).gid(65534).stdin(Stdio::null());
    command.output().ok()
}

// === impl Part ===

impl Part {
    /// A command, with an environment that names the part alone.
    pub(crate) fn command(self) -> Command {
        let name = match self {
            Self::Suite => "suite",
            Self::World => "world",
            Self::Ask => "ask",
            Self::Look => "look",
            Self::Wait => "wait",
        };
        let mut command = Command::new(PROGRAM);
        command.env_clear().env(PART, name);
        command
    }

    /// The command to ask at `address`.
    pub(crate) fn ask(address: SocketAddr) -> Command {
        let mut command = Self::Ask.command();
        command.env("ROLECALL_NAMESPACES_ADDRESS", address.to_string());
        command
    }

    pub(crate) fn play(self) -> ExitCode {
        let done = match self {
            Self::Suite => Ok(()),
            Self::World => world(),
            Self::Ask => ask(),
            Self::Look => look(),
            Self::Wait => loop {
                std::thread::park();
            },
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn world() -> Outcome {
    enter_user_namespace()?;
    let processes = PidNamespace::fork()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let scene = Scene::build(&processes)?;
    let child = runtime.block_on(scene.pods[0].spawn(Part::Wait.command().into()))?;
    println!("{} {}", processes.init(), child.id().ok_or("the program has ended")?);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(processes);
    loop {
        std::thread::park();
    }
}

fn ask() -> Outcome {
    let address: SocketAddr = env::var("ROLECALL_NAMESPACES_ADDRESS")?.parse()?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    std::io::stdout().write_all(answer.as_bytes())?;
    Ok(())
}

fn look() -> Outcome {
    let mut names: Vec<_> = fs::read_dir("/run")?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, std::io::Error>>()?;
    names.sort();
    println!("{} {}", std::process::id(), names.join(","));
    Ok(())
}
