//! The front as botocore and the AWS command line use it, where Python has them: `ROLECALL_PYTHON` names one that can
//! import botocore (and has `aws` beside it, or not), else the `python3` on the path is tried. Without it the test says
//! that it was skipped, and why.

use std::{
    env,
    io::Write,
    process::{Command, Stdio},
};

use rolecall_aws::{AccessKey, CancellationToken, Door, Enforcement, Front, Settings};
use rolecall_clock::Clock;
use tokio::net::TcpListener;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/botocore/flow.py");

/// A Python that can import botocore, or why there is none.
fn python() -> Result<String, String> {
    let python = env::var("ROLECALL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let tried = Command::new(&python)
        .args(["-c", "import botocore, boto3"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{python} cannot be started: {error}"))?;
    if tried.status.success() {
        Ok(python)
    } else {
        Err(format!(
            "{python} cannot import botocore and boto3: set ROLECALL_PYTHON to one that can"
        ))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn botocore_and_the_command_line_are_answered_as_by_aws() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            // Past the capture of the test harness, so that nobody takes it for having run.
            let _ = writeln!(std::io::stderr(), "skipped: {why}");
            return;
        }
    };
    let front = Front::new(Settings {
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        root: AccessKey {
            id: "AKIAROOT".to_owned(),
            secret: "root secret".into(),
        },
        clock: Clock::new(),
        enforcement: Enforcement::On,
        upstream: None,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let served = front.clone();
    tokio::spawn(async move { served.serve(listener, Door::World, CancellationToken::new()).await });
    let run = move || {
        Command::new(python)
            .args([SCRIPT, &port.to_string()])
            .env_clear()
            .env("PATH", env::var("PATH").unwrap_or_default())
            .env("AWS_ACCESS_KEY_ID", "AKIAROOT")
            .env("AWS_SECRET_ACCESS_KEY", "root secret")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .stdin(Stdio::null())
            .output()
    };
    let output = tokio::task::spawn_blocking(run)
        .await
        .expect("it ends")
        .expect("it starts");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
