//! What a pod does, a process in the pod does.

use std::{path::PathBuf, process::Stdio, time::Duration};

use rolecall_clock::Clock;
use rolecall_namespaces::Namespace;
use rolecall_probe::{Report, Task};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use super::network::{AWS_PORT, VPC};
use crate::{check::Exec, world::WorldError};

/// Longer than every limit within a probe or a program that a scenario runs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Starts programs in hosts of the world.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    /// This program.
    pub(super) own: PathBuf,
    pub(super) region: String,
    pub(super) clock: Clock,
}

// === impl Programs ===

impl Programs {
    /// An environment that is built and, PATH excepted, never inherited: no key of the person at the desk can reach a
    /// pod.
    pub(super) fn environment(&self, command: &mut Command) {
        command.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
            .env("HOME", "/run/home")
            .env("TMPDIR", "/run/tmp")
            .env("XDG_RUNTIME_DIR", "/run/tmp")
            .env("LANG", "C.UTF-8")
            .env("AWS_ENDPOINT_URL", format!("http://{VPC}:{AWS_PORT}"))
            .env("AWS_REGION", &self.region)
            .env("AWS_DEFAULT_REGION", &self.region)
            .current_dir("/run");
        let moved = self.clock.offset();
        if !moved.is_zero() {
            // A credential process of ours keeps a lease, and must see when it has ended in the world's time.
            command.env("ROLECALL_TEST_CLOCK_MS", moved.as_millis().to_string());
        }
    }

    /// Does one task in a fresh process on this host.
    ///
    /// # Errors
    /// The process could not be started or gave no report.
    pub(super) async fn probe(
        &self,
        host: &Namespace,
        environment: &[(String, String)],
        task: &Task,
    ) -> Result<Report, WorldError> {
        let mut command = Command::new(&self.own);
        command.arg("probe");
        let input = serde_json::to_vec(task).map_err(|error| WorldError::doing("write a probe's task", &error))?;
        let output = self.run(host, environment, command, input).await?;
        let report: Report = serde_json::from_slice(&output.stdout).map_err(|error| {
            let stderr = String::from_utf8_lossy(&output.stderr);
            WorldError::new(format!(
                "the probe in {host} gave no report ({error}); it said: {}",
                stderr.trim()
            ))
        })?;
        match report {
            Report::Error(message) => Err(WorldError::new(format!("the probe in {host}: {message}"))),
            report => Ok(report),
        }
    }

    /// Runs a program on this host.
    ///
    /// # Errors
    /// It did not end in time. A program that is absent is an answer: the exit status that a shell would give.
    pub(super) async fn exec(
        &self,
        host: &Namespace,
        environment: &[(String, String)],
        words: &[String],
    ) -> Result<Exec, WorldError> {
        let (program, arguments) = words
            .split_first()
            .ok_or_else(|| WorldError::new("no program is named"))?;
        let mut command = Command::new(program);
        command.args(arguments);
        match self.run(host, environment, command, Vec::new()).await {
            Ok(output) => Ok(Exec {
                exit: output.status.code(),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
            Err(Absent::Program(message)) => Ok(Exec {
                exit: Some(127),
                stdout: String::new(),
                stderr: message,
            }),
            Err(Absent::Answer(error)) => Err(error),
        }
    }

    async fn run(
        &self,
        host: &Namespace,
        environment: &[(String, String)],
        mut command: Command,
        input: Vec<u8>,
    ) -> Result<std::process::Output, Absent> {
        self.environment(&mut command);
        command
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        let mut child = host
            .spawn(command)
            .await
            .map_err(|error| Absent::Program(error.to_string()))?;
        let failed =
            |error: std::io::Error| Absent::Answer(WorldError::doing(format_args!("run {program} in {host}"), &error));
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let talk = async {
            let write = async {
                if let Some(mut stdin) = stdin {
                    // A program that does not read its input closes it; that is no failure.
                    let _ = stdin.write_all(&input).await;
                }
                Ok(())
            };
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let read_out = async {
                match stdout {
                    Some(mut stdout) => stdout.read_to_end(&mut out).await.map(drop),
                    None => Ok(()),
                }
            };
            let read_err = async {
                match stderr {
                    Some(mut stderr) => stderr.read_to_end(&mut err).await.map(drop),
                    None => Ok(()),
                }
            };
            tokio::try_join!(write, read_out, read_err)?;
            let status = child.wait().await?;
            Ok(std::process::Output {
                status,
                stdout: out,
                stderr: err,
            })
        };
        match tokio::time::timeout(DEADLINE, talk).await {
            Ok(output) => output.map_err(failed),
            Err(_) => Err(Absent::Answer(WorldError::new(format!(
                "{program} in {host} did not end within {} s",
                DEADLINE.as_secs()
            )))),
        }
    }
}

/// Why a program brought nothing back.
enum Absent {
    /// It could not be started.
    Program(String),
    /// It was started and did not end well for us.
    Answer(WorldError),
}

impl From<Absent> for WorldError {
    fn from(absent: Absent) -> Self {
        match absent {
            Absent::Program(message) => Self::Broken(message),
            Absent::Answer(error) => error,
        }
    }
}
