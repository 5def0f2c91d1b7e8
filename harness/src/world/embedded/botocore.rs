//! `client: botocore`: Python's own provider, run in the pod by the host's Python.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    check::{Exec, Keys},
    world::{
        WorldError,
        seen::{Seen, of_provider},
    },
};

/// Asks botocore's provider for the instance metadata service, as `boto3` and the AWS CLI do, and tells what it got.
const SCRIPT: &str = "
import json, logging, sys
from botocore.utils import InstanceMetadataFetcher
from botocore.credentials import InstanceMetadataProvider
logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
found = InstanceMetadataProvider(InstanceMetadataFetcher(timeout=1, num_attempts=1)).load()
if found is None:
    print(json.dumps({}))
else:
    keys = found.get_frozen_credentials()
    expiry = found._expiry_time
    print(json.dumps({
        'access_key': keys.access_key, 'secret_key': keys.secret_key, 'token': keys.token,
        'expiry': expiry.strftime('%Y-%m-%dT%H:%M:%SZ'),
    }))
";

/// What is run.
pub(super) fn words() -> Vec<String> {
    ["python3", "-c", SCRIPT].map(str::to_owned).to_vec()
}

/// Whether this host's Python has botocore.
pub(crate) fn is_here() -> bool {
    let mut python = std::process::Command::new("python3");
    python.args(["-c", "import botocore"]);
    python
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    access_key: Option<String>,
    secret_key: Option<String>,
    token: Option<String>,
    expiry: Option<String>,
}

/// What botocore got.
///
/// # Errors
/// It did not run to its end.
pub(super) fn seen(ran: &Exec, took: Duration) -> Result<Seen, WorldError> {
    if ran.exit != Some(0) {
        return Err(WorldError::new(format!(
            "botocore's provider failed: {}",
            ran.stderr.trim()
        )));
    }
    let found: Found = serde_json::from_str(&ran.stdout)
        .map_err(|error| WorldError::doing("read what botocore's provider found", &error))?;
    let keys = match (found.access_key, found.secret_key) {
        (Some(access_key_id), Some(secret_access_key)) => Some(Keys {
            access_key_id,
            secret_access_key,
            session_token: found.token,
            expiration: found.expiry.and_then(|time| time.parse().ok()),
        }),
        _ => None,
    };
    Ok(of_provider(
        "botocore's own provider",
        keys,
        ran.stderr.trim().to_owned(),
        took,
    ))
}
