//! `client: botocore`: Python's own provider, run in the pod by a Python that has it.

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

/// Finds a Python that has botocore: the one in `PATH`, or else the one that the AWS CLI runs with.
const FIND: &str = r#"
for python in python3 "$(head -n 1 "$(command -v aws)" | cut -c 3-)"; do
    if $python -c 'import botocore' 2>/dev/null; then exec $python -c "$1"; fi
done
echo 'this image has no Python with botocore; name one that has with --aws-cli-image' >&2
exit 127
"#;

/// What is run where the programs are this host's.
pub(super) fn words() -> Vec<String> {
    ["python3", "-c", SCRIPT].map(str::to_owned).to_vec()
}

/// What is run in a container of the AWS CLI's image.
pub(super) fn words_in_image() -> Vec<String> {
    ["sh", "-c", FIND, "sh", SCRIPT].map(str::to_owned).to_vec()
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
            "botocore's provider could not be run: {}",
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
