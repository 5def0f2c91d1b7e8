//! botocore, in a Python that `ROLECALL_PYTHON` names, or in the `python3` of the path.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::driver::{Answer, Call, Driver, REGION, Refusal};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flow/ask.py");

/// A Python that asks what it is told to.
pub(crate) struct Botocore {
    python: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// A Python that can import botocore.
///
/// # Errors
/// There is none.
pub(crate) fn python() -> Result<String, String> {
    let python = std::env::var("ROLECALL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let tried = Command::new(&python)
        .args(["-c", "import botocore"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{python} cannot be started: {error}"))?;
    if tried.status.success() {
        Ok(python)
    } else {
        Err(format!(
            "{python} cannot import botocore: set ROLECALL_PYTHON to one that can"
        ))
    }
}

// === impl Botocore ===

impl Botocore {
    pub(crate) fn start(python: &str) -> Result<Self, String> {
        let mut python = Command::new(python)
            .arg(SCRIPT)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let (to, from) = (python.stdin.take(), python.stdout.take());
        let (Some(to), Some(from)) = (to, from) else {
            return Err("a child without pipes".to_owned());
        };
        let from = BufReader::new(from);
        Ok(Self { python, to, from })
    }
}

impl Driver for Botocore {
    fn ask(&mut self, call: &Call) -> Result<Answer, String> {
        let keys = call.keys.as_ref();
        let line = json!({
            "endpoint": call.endpoint,
            "region": REGION,
            "service": call.service,
            "operation": call.operation,
            "params": call.params,
            "keys": keys.map(|keys| json!({"id": keys.id, "secret": keys.secret, "token": keys.token})),
        });
        writeln!(self.to, "{line}").map_err(|error| format!("Python ended: {error}"))?;
        let mut said = String::new();
        self.from.read_line(&mut said).map_err(|error| error.to_string())?;
        let said: Value = serde_json::from_str(&said).map_err(|error| format!("Python ended: {error}"))?;
        if let Some(done) = said.get("done") {
            return Ok(Answer::Done(done.clone()));
        }
        let Some(refused) = said.get("refused") else {
            return Err(said["failed"].as_str().unwrap_or("no answer").to_owned());
        };
        let text = |name: &str| refused[name].as_str().unwrap_or_default();
        let status = refused["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let refusal = Refusal::new(status.unwrap_or_default(), text("code"), text("message"));
        Ok(Answer::Refused(refusal))
    }
}

impl Drop for Botocore {
    fn drop(&mut self) {
        let _ = self.python.kill();
        let _ = self.python.wait();
    }
}
