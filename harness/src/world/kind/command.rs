//! Programs of this machine (`docker`, `kind`), each with a deadline, its words and its output in the error.

use std::{path::PathBuf, process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::world::WorldError;

/// Characters of a program's output that an error repeats, from its end.
const TOLD: usize = 2_000;

/// A program that is to be run.
#[derive(Clone, Debug)]
pub(super) struct Program {
    name: &'static str,
    arguments: Vec<String>,
    deadline: Duration,
    input: Vec<u8>,
    temporary: Option<PathBuf>,
    spares: bool,
}

/// What a program wrote.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// The exit status; `None` after a signal.
    pub(super) exit: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// The process group of a program that has not ended: `kind` has children of its own, which would go on without it.
struct Group(Option<i32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            // It may have ended by itself; then there is nobody to signal.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

// === impl Program ===

impl Program {
    /// `docker` with these arguments, which may take a minute.
    pub(super) fn docker<S: Into<String>>(arguments: impl IntoIterator<Item = S>) -> Self {
        Self::new("docker", arguments)
    }

    /// `kind` with these arguments, which may take a minute.
    pub(super) fn kind<S: Into<String>>(arguments: impl IntoIterator<Item = S>) -> Self {
        Self::new("kind", arguments)
    }

    fn new<S: Into<String>>(name: &'static str, arguments: impl IntoIterator<Item = S>) -> Self {
        Self {
            name,
            arguments: arguments.into_iter().map(Into::into).collect(),
            // A second on an idle machine; an engine that makes several clusters at once answers late.
            deadline: Duration::from_secs(60),
            input: Vec::new(),
            temporary: None,
            spares: false,
        }
    }

    /// A further argument.
    pub(super) fn and(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Another deadline.
    pub(super) fn within(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// What it reads from its standard input; without this, nothing.
    pub(super) fn input(self, input: impl Into<Vec<u8>>) -> Self {
        Self {
            input: input.into(),
            ..self
        }
    }

    /// Where it puts what it needs for a while: a program that is killed leaves that.
    pub(super) fn temporary(self, folder: PathBuf) -> Self {
        Self {
            temporary: Some(folder),
            ..self
        }
    }

    /// Where it does not end in time, or nobody waits for it any more, it alone is killed, and what it has started goes on.
    pub(super) fn sparing_children(self) -> Self {
        Self { spares: true, ..self }
    }

    fn words(&self) -> String {
        std::iter::once(self.name)
            .chain(self.arguments.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Runs it to its end; a status other than 0 is an answer.
    ///
    /// # Errors
    /// [`WorldError::Unable`] if the program is not there; else it did not end in time, and was killed.
    pub(super) async fn ask(&self) -> Result<Written, WorldError> {
        let mut command = Command::new(self.name);
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for this process, which then ends its children in order, and theirs with them.
            .process_group(0)
            .kill_on_drop(true);
        if let Some(folder) = &self.temporary {
            command.env("TMPDIR", folder);
        }
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => WorldError::Unable {
                reason: format!("`{0}` is not installed, or not in PATH; install {0}", self.name),
            },
            _ => WorldError::doing(format_args!("start `{}`", self.words()), &error),
        })?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let mut group = Group(id.filter(|_| !self.spares));
        let mut stdin = child.stdin.take();
        let run = async {
            if let Some(mut stdin) = stdin.take() {
                // A program that does not read its input closes it; that is no failure.
                let _ = stdin.write_all(&self.input).await;
            }
            child.wait_with_output().await
        };
        let output = tokio::time::timeout(self.deadline, run)
            .await
            .map_err(|_| {
                WorldError::new(format!(
                    "`{}` did not end within {} s and was killed",
                    self.words(),
                    self.deadline.as_secs()
                ))
            })?
            .map_err(|error| WorldError::doing(format_args!("run `{}`", self.words()), &error))?;
        group.0 = None;
        Ok(Written {
            exit: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs it to its end and gives what it wrote to standard output.
    ///
    /// # Errors
    /// As [`ask`](Self::ask); a status other than 0, with what the program said.
    pub(super) async fn run(&self) -> Result<String, WorldError> {
        let written = self.ask().await?;
        if written.exit == Some(0) {
            return Ok(written.stdout);
        }
        let said = format!("{}\n{}", written.stdout.trim(), written.stderr.trim());
        let said = said.trim();
        let from = said.char_indices().rev().nth(TOLD).map_or(0, |(at, _)| at);
        let ended = match written.exit {
            Some(status) => format!("ended with {status}"),
            None => "was ended by a signal".to_owned(),
        };
        let words = self.words();
        let mut message = format!("`{words}` {ended}: {}", &said[from..]);
        if let Some(advice) = advice(said) {
            message.push_str(&format!("\n   = {advice}"));
        }
        Err(WorldError::new(message))
    }
}

/// What to do where the output tells a cause that has nothing to do with what was asked.
fn advice(said: &str) -> Option<&'static str> {
    let causes = [
        (
            "no space left on device",
            "the disk is full: `docker system prune` frees what no container uses",
        ),
        (
            "permission denied while trying to connect",
            "this user may not use Docker: join the group docker, or run it as root",
        ),
        (
            "failed to connect to the docker API",
            "start the Docker engine, or say where it is in DOCKER_HOST",
        ),
        (
            "Cannot connect to the Docker daemon",
            "start the Docker engine, or say where it is in DOCKER_HOST",
        ),
        (
            "port is already allocated",
            "another program has that port: `docker ps` shows containers with their ports",
        ),
        (
            "address already in use",
            "another program has that address: `docker ps` shows containers with their ports",
        ),
    ];
    let found = causes.iter().find(|(cause, _)| said.contains(cause));
    found.map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_fails_is_told_with_its_words_and_its_output() {
        let program = Program::new("sh", ["-c", "echo out; echo 'no space left on device' >&2; exit 3"]);
        let error = program.run().await.expect_err("it fails").to_string();
        for part in ["`sh -c ", "ended with 3", "out", "docker system prune"] {
            assert!(error.contains(part), "{part} is not in {error}");
        }
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_killed_and_told() {
        let program = Program::new("sleep", ["30"]).within(Duration::from_millis(50));
        let error = program.run().await.expect_err("it never ends").to_string();
        assert!(error.contains("`sleep 30` did not end"), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_told_by_its_name() {
        let none = Program::new("rolecall-has-no-such-program", Vec::<String>::new());
        let error = none.run().await.expect_err("it is not there");
        assert!(matches!(error, WorldError::Unable { .. }), "{error}");
    }
}
