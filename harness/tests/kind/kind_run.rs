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
        Some(Self {
            folder: tempfile::tempdir().expect("a folder"),
            _alone: ENGINE.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }

    /// A path below the folder.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The program with these arguments. Images that the environment names (`ROLECALL_PROXY_IMAGE`, `ROLECALL_TOOLS_IMAGE`)
    /// are not built.
    pub(crate) fn rolecall(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
        command.arg("--suite").arg(root()).args(arguments).env("NO_COLOR", "1");
        // The output folder is the test's; programs are built from the checkout.
        command.current_dir(root()).env("ROLECALL_OUTPUT", self.path("output"));
        command
    }

    /// As [`rolecall`](Self::rolecall), `run --world kind`.
    pub(crate) fn kind(&self, arguments: &[&str]) -> Command {
        let mut command = self.rolecall(&["run", "--world", "kind"]);
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

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What carries a run's label on the engine, and the nodes of clusters that were made for a run.
pub(crate) fn left() -> Vec<String> {
    let lists: [&[&str]; 3] = [
        &[
            "ps",
            "--all",
            "--filter",
            "label=rolecall.dev/run",
            "--format",
            "container {{.Names}}",
        ],
        &[
            "volume",
            "ls",
            "--filter",
            "label=rolecall.dev/run",
            "--format",
            "volume {{.Name}}",
        ],
        &[
            "ps",
            "--all",
            "--filter",
            "label=io.x-k8s.kind.cluster",
            "--format",
            "node {{.Names}}",
        ],
    ];
    let mut left = Vec::new();
    for list in lists {
        let listed = Command::new("docker").args(list).output().expect("docker");
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        let ours = |line: &&str| !line.starts_with("node ") || line.starts_with("node rolecall-2");
        left.extend(text.lines().filter(ours).map(str::to_owned));
    }
    left
}
