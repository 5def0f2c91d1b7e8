use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A folder with the files of one test; it goes with the value.
pub(crate) struct TemporarySuite {
    folder: TempDir,
}

/// How the program ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit status, or `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

// === impl TemporarySuite ===

impl TemporarySuite {
    /// A folder with these files, each a path below it and its text.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let suite = Self {
            folder: tempfile::tempdir().expect("a folder for the test"),
        };
        for (name, text) in files {
            let path = suite.path(name);
            fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder for a scenario");
            fs::write(path, text).expect("a scenario");
        }
        suite
    }

    /// A path below the folder.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The program, started by a person who is in the folder and whose terminal has no colours.
    pub(crate) fn rolecall(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("ROLECALL_SUITE")
            .env_remove("ROLECALL_OUTPUT")
            .env_remove("CLICOLOR_FORCE")
            // No test sweeps the engine of the machine that it runs on.
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .env("NO_COLOR", "1");
        command
    }
}

// === impl Ended ===

impl Ended {
    /// How a program ended. No panic is ever an answer.
    pub(crate) fn of(output: io::Result<Output>) -> Self {
        let output = output.expect("the program can be started");
        let ended = Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert!(
            ended.code != Some(101) && !ended.err.contains("panicked"),
            "a panic: {ended:#?}"
        );
        ended
    }
}
