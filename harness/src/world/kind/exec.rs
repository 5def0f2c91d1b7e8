//! Running a program in a container of a pod, as `kubectl exec` does.

use std::time::Duration;

use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Status};
use kube::{Api, Client, api::AttachParams};
use rolecall_probe::{Report, Task};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{check::Exec, world::WorldError};

/// Longer than every limit within a probe or a program that a scenario runs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Where this program is in the tools' image.
pub(super) const PROGRAM: &str = "/rolecall";

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) name: String,
}

// === impl Container ===

impl Container {
    /// Runs a program there.
    ///
    /// # Errors
    /// It cannot be run, or did not end in time. A program that is absent is an answer: the exit status that a shell would
    /// give.
    pub(super) async fn run(&self, client: &Client, words: &[String], input: &[u8]) -> Result<Exec, WorldError> {
        let what = || {
            format!(
                "run {} in {self}",
                words.first().map(String::as_str).unwrap_or_default()
            )
        };
        match tokio::time::timeout(DEADLINE, self.talk(client, words, input)).await {
            Ok(Ok(exec)) => Ok(exec),
            Ok(Err(error)) => Err(WorldError::doing(what(), &*error)),
            Err(_) => Err(WorldError::new(format!(
                "cannot {}: it did not end within {} s",
                what(),
                DEADLINE.as_secs()
            ))),
        }
    }

    async fn talk(
        &self,
        client: &Client,
        words: &[String],
        input: &[u8],
    ) -> Result<Exec, Box<dyn std::error::Error + Send + Sync>> {
        let api: Api<Pod> = Api::namespaced(client.clone(), &self.namespace);
        let parameters = AttachParams::default()
            .container(&self.name)
            .stdin(!input.is_empty())
            .stdout(true)
            .stderr(true);
        let mut process = api.exec(&self.pod, words, &parameters).await?;
        let (stdin, stdout, stderr) = (process.stdin(), process.stdout(), process.stderr());
        let status = process.take_status();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read its input closes it; that is no failure.
                let _ = stdin.write_all(input).await;
                let _ = stdin.shutdown().await;
            }
            Ok(())
        };
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
        let status = match status {
            Some(status) => status.await.unwrap_or_default(),
            None => Status::default(),
        };
        let mut stderr = String::from_utf8_lossy(&err).into_owned();
        let exit = exit(&status).map_err(|message| {
            let said = stderr.trim();
            if said.is_empty() {
                message
            } else {
                format!("{message} ({said})")
            }
        })?;
        if exit == Some(127) && stderr.is_empty() {
            stderr = status.message.unwrap_or_default();
        }
        Ok(Exec {
            exit,
            stdout: String::from_utf8_lossy(&out).into_owned(),
            stderr,
        })
    }

    /// Does one task in a fresh process there.
    ///
    /// # Errors
    /// The process could not be started or gave no report.
    pub(super) async fn probe(&self, client: &Client, task: &Task) -> Result<Report, WorldError> {
        let input = serde_json::to_vec(task).map_err(|error| WorldError::doing("write a probe's task", &error))?;
        let words = [PROGRAM, "probe"].map(str::to_owned);
        let ran = self.run(client, &words, &input).await?;
        let report: Report = serde_json::from_str(&ran.stdout).map_err(|error| {
            WorldError::new(format!(
                "the probe in {self} gave no report ({error}); it said: {}",
                ran.stderr.trim()
            ))
        })?;
        match report {
            Report::Error(message) => Err(WorldError::new(format!("the probe in {self}: {message}"))),
            report => Ok(report),
        }
    }
}

impl std::fmt::Display for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{} ({})", self.namespace, self.pod, self.name)
    }
}

/// How the program ended; the error is why it could not be run.
fn exit(status: &Status) -> Result<Option<i32>, String> {
    if status.status.as_deref() == Some("Success") {
        return Ok(Some(0));
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_ref());
    let code = causes
        .into_iter()
        .flatten()
        .find(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .and_then(|cause| cause.message.as_deref()?.parse().ok());
    if code.is_some() {
        return Ok(code);
    }
    let message = status.message.clone().unwrap_or_default();
    let absent = ["executable file not found", "no such file or directory"];
    if absent.iter().any(|absent| message.contains(absent)) {
        return Ok(Some(127));
    }
    Err(if message.is_empty() {
        "the connection ended before the program did".to_owned()
    } else {
        message
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case::well(json!({"status": "Success"}), Some(0))]
    #[case::with_a_status(json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [
        {"reason": "ExitCode", "message": "254"}]}}), Some(254))]
    #[case::not_found(json!({"status": "Failure", "message": "exec: \"aws\": executable file not found in $PATH"}), Some(127))]
    fn how_a_program_ended_is_read_from_the_status(#[case] status: Value, #[case] code: Option<i32>) {
        let status: Status = serde_json::from_value(status).expect("a status");
        assert_eq!(exit(&status), Ok(code));
    }

    #[test]
    fn a_connection_that_broke_is_no_end_of_a_program() {
        exit(&Status::default()).expect_err("nobody knows how it ended");
    }
}
