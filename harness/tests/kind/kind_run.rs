//! Running the program against kind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

/// One cluster at a time: they are large, and what is left is counted.
static ENGINE: Mutex<()> = Mutex::new(());

/// A folder to run in, while no other test uses the engine.
pub(crate) struct KindRun {
    folder: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The JSON report, if one was written.
    pub(crate) report: Value,
}

// === impl Ended ===

impl Ended {
    /// The run's name, which it says when it begins to make something.
    pub(crate) fn run(&self) -> String {
        run_said_by(&self.err).unwrap_or_else(|| panic!("it never said its name: {self:#?}"))
    }
}

/// The run's name in what it has said, if it has said it.
pub(crate) fn run_said_by(said: &str) -> Option<String> {
    let line = said.lines().find_map(|line| line.strip_prefix("kind: run "))?;
    Some(line.split(';').next()?.to_owned())
}

// === impl KindRun ===

impl KindRun {
    /// None, after saying so, where there is no engine or no kind.
    pub(crate) fn new() -> Option<Self> {
        for (program, word) in [("docker", "info"), ("kind", "version")] {
            let asked = Command::new(program)
                .arg(word)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if !asked.is_ok_and(|status| status.success()) {
                eprintln!("skipped: `{program} {word}` fails here");
                return None;
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("temporary")).expect("a folder");
        Some(Self {
            folder,
            _alone: ENGINE.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }

    /// A path below the folder.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The folder in which the program, and what it starts, put what they need for a while.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.path("temporary")
    }

    /// The program with these arguments. Images that the environment names (`ROLECALL_PROXY_IMAGE`, `ROLECALL_TOOLS_IMAGE`)
    /// are not built.
    pub(crate) fn rolecall(&self, arguments: &[&str]) -> Command {
        self.rolecall_of(&root(), arguments)
    }

    fn rolecall_of(&self, suite: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
        command.arg("--suite").arg(suite).args(arguments).env("NO_COLOR", "1");
        // The output folder is the test's; programs are built from the checkout.
        command.current_dir(root()).env("ROLECALL_OUTPUT", self.path("output"));
        command.env("TMPDIR", self.temporary());
        command
    }

    /// As [`rolecall`](Self::rolecall), `run --world kind`.
    pub(crate) fn kind(&self, arguments: &[&str]) -> Command {
        self.kind_of(&root(), arguments)
    }

    /// As [`kind`](Self::kind), with another suite.
    pub(crate) fn kind_of(&self, suite: &Path, arguments: &[&str]) -> Command {
        let mut command = self.rolecall_of(suite, &["run", "--world", "kind"]);
        for (variable, flag) in [
            ("ROLECALL_PROXY_IMAGE", "--proxy-image"),
            ("ROLECALL_TOOLS_IMAGE", "--tools-image"),
        ] {
            if let Ok(image) = std::env::var(variable) {
                command.args([flag, &image]);
            }
        }
        command
            .arg("--report")
            .arg(format!("json={}", self.path("report.json").display()));
        command.args(arguments);
        command
    }

    /// Runs it to its end.
    pub(crate) fn end(&self, mut command: Command) -> Ended {
        let Output { status, stdout, stderr } = command.output().expect("rolecall");
        let report = fs::read_to_string(self.path("report.json")).ok();
        Ended {
            code: status.code(),
            out: String::from_utf8_lossy(&stdout).into_owned(),
            err: String::from_utf8_lossy(&stderr).into_owned(),
            report: report
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default(),
        }
    }

    /// A scenario of the suite with some of its words replaced, each of which stands once in it.
    pub(crate) fn reversed(&self, scenario: &str, words: &[(&str, &str)]) -> String {
        let path = root().join("scenarios").join(scenario).with_extension("yaml");
        let mut text = fs::read_to_string(&path).expect("the scenario");
        for (from, to) in words {
            assert_eq!(text.matches(from).count(), 1, "`{from}` must stand once in {scenario}");
            text = text.replace(from, to);
        }
        let file = self.path(&scenario.replace('/', "-")).with_extension("yaml");
        fs::write(&file, text).expect("the reversed scenario");
        file.display().to_string()
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
