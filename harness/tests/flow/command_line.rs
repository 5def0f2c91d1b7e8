//! The `aws` command line of the path, or that beside the Python of `ROLECALL_PYTHON`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::driver::{Answer, Call, Driver, REGION, Refusal};

/// The command line says before it asks that a parameter is too small, and AWS must say it; links are signed by the
/// older scheme without being told otherwise.
const CONFIG: &str = "[default]\nparameter_validation = false\ns3 =\n  signature_version = s3v4\n";

/// The command line: a process for each call.
pub(crate) struct CommandLine {
    aws: PathBuf,
    folder: TempDir,
}

/// An `aws` that starts.
///
/// # Errors
/// There is none.
pub(crate) fn aws() -> Result<PathBuf, String> {
    let beside = std::env::var_os("ROLECALL_PYTHON").and_then(|python| Some(Path::new(&python).parent()?.join("aws")));
    let aws = beside
        .filter(|aws| aws.is_file())
        .unwrap_or_else(|| PathBuf::from("aws"));
    let tried = Command::new(&aws).arg("--version").stdin(Stdio::null()).output();
    match tried {
        Ok(output) if output.status.success() => Ok(aws),
        Ok(output) => Err(format!("aws --version ended with {}", output.status)),
        Err(error) => Err(format!("there is no aws command line: {error}")),
    }
}

/// `ListObjectsV2` as `list-objects-v2`.
fn kebab(operation: &str) -> String {
    let mut name = String::new();
    for letter in operation.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The status of the last answer, which only the log of the command line tells.
fn status(log: &str) -> Option<u16> {
    let (_, after) = log.rsplit_once("HTTP/1.1\" ")?;
    after.split_whitespace().next()?.parse().ok()
}

// === impl CommandLine ===

impl CommandLine {
    pub(crate) fn new(aws: PathBuf) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        fs::write(folder.path().join("config"), CONFIG).map_err(|error| error.to_string())?;
        Ok(Self { aws, folder })
    }

    fn run(&self, call: &Call, words: &[String]) -> Result<Output, String> {
        let mut command = Command::new(&self.aws);
        command
            .args(["--endpoint-url", &call.endpoint, "--output", "json", "--debug"])
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            // Where it keeps what it likes to keep.
            .env("HOME", self.folder.path())
            .env("AWS_CONFIG_FILE", self.folder.path().join("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_REGION", REGION)
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("AWS_PAGER", "")
            .stdin(Stdio::null());
        match &call.keys {
            None => {
                command.arg("--no-sign-request");
            }
            Some(keys) => {
                command
                    .env("AWS_ACCESS_KEY_ID", &keys.id)
                    .env("AWS_SECRET_ACCESS_KEY", &keys.secret);
                if let Some(token) = &keys.token {
                    command.env("AWS_SESSION_TOKEN", token);
                }
            }
        }
        command.output().map_err(|error| error.to_string())
    }

    /// The words after `aws`, and where the body of an object will be.
    fn words(&self, call: &Call) -> Result<(Vec<String>, PathBuf), String> {
        let body = self.folder.path().join("body");
        let mut params = call.params.clone();
        let text = |name: &str| call.params[name].as_str().unwrap_or_default();
        if call.operation == "Presign" {
            let link = format!("s3://{}/{}", text("Bucket"), text("Key"));
            let life = call.params["ExpiresIn"].to_string();
            let words = ["s3", "presign", &link, "--expires-in", &life];
            return Ok((words.map(str::to_owned).to_vec(), body));
        }
        let service = if call.service == "s3" { "s3api" } else { call.service };
        let mut words = vec![service.to_owned(), kebab(call.operation)];
        if call.operation == "PutObject" {
            fs::write(&body, text("Body")).map_err(|error| error.to_string())?;
            params.as_object_mut().map(|params| params.remove("Body"));
            words.extend(["--body".to_owned(), body.display().to_string()]);
        }
        if call.operation == "GetObject" {
            // It has a parameter of its own, which is not taken together with the others' JSON.
            let named = ["--bucket", text("Bucket"), "--key", text("Key")].map(str::to_owned);
            words.extend(named);
            words.push(body.display().to_string());
        } else {
            words.extend(["--cli-input-json".to_owned(), params.to_string()]);
        }
        Ok((words, body))
    }
}

impl Driver for CommandLine {
    fn ask(&mut self, call: &Call) -> Result<Answer, String> {
        let (words, body) = self.words(call)?;
        let output = self.run(call, &words)?;
        let (out, log) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        if output.status.success() {
            if call.operation == "Presign" {
                return Ok(Answer::Done(json!({"Url": out.trim()})));
            }
            let mut answer: Value = match out.trim() {
                "" => json!({}),
                text => serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?,
            };
            if call.operation == "GetObject" {
                answer["Body"] = fs::read_to_string(&body).map_err(|error| error.to_string())?.into();
            }
            return Ok(Answer::Done(answer));
        }
        // The log has the keys in it and is not shown.
        let status = status(&log).ok_or_else(|| format!("it ended with {} and had no answer", output.status))?;
        let last = log.rsplit_once("An error occurred (").map(|(_, after)| after);
        let (code, message) = last
            .and_then(|last| last.split_once(')'))
            .ok_or_else(|| format!("it ended with {} after an answer with {status}", output.status))?;
        let message = message.split_once(": ").map_or("", |(_, message)| message);
        let message = message.lines().next().unwrap_or_default();
        Ok(Answer::Refused(Refusal::new(status, code, message)))
    }
}
