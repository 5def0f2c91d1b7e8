//! One AWS call, as a program in the pod would make it.
//!
//! Credentials are found first, by the SDK's default chain, and only then is the service asked with exactly these: so
//! "nothing to sign with" is told apart from a refusal for certain, and no request can leave unsigned.

mod answer;
mod arguments;
mod iam;
mod s3;
mod signed;
mod sts;
pub(crate) mod surroundings;
mod witness;
mod xml;

use std::time::Duration;

use rolecall_clock::{monotonic, since};

use crate::{Call, CallReport, Outcome, Silence, SilenceKind, operation};
use arguments::Arguments;
use surroundings::{Signer, Surroundings};
use witness::Witness;

/// Makes the call.
///
/// # Errors
///
/// If the operation is unknown, a parameter is missing or unknown, or the environment names no endpoint or region.
pub(crate) async fn call(task: Call) -> Result<CallReport, String> {
    let start = monotonic();
    let Some(known) = operation(&task.operation) else {
        return Err(format!("the operation `{}` is unknown to this probe", task.operation));
    };
    let with = Arguments::new(known, task.with)?;
    let surroundings = Surroundings::of_process()?;
    let witness = Witness::default();
    let whole = Duration::from_millis(task.whole_ms);
    let outcome = match surroundings.signer(task.keys).await {
        Err(reason) => Outcome::NoCredentials { reason },
        Ok(signer) => {
            let left = whole.saturating_sub(since(start));
            match tokio::time::timeout(left, ask(known.name, &with, &signer, &witness)).await {
                Ok(outcome) => outcome?,
                Err(_) => {
                    let message = format!("no answer to {} within {} ms", known.name, task.whole_ms);
                    Outcome::Silence(Silence::new(SilenceKind::TimedOut, message))
                }
            }
        }
    };
    let seen = witness.seen();
    Ok(CallReport {
        outcome,
        access_key_id: seen.access_key_id,
        request_id: seen.request_id,
        status: seen.status,
        attempts: seen.attempts,
        elapsed_ms: u64::try_from(since(start).as_millis()).unwrap_or(u64::MAX),
    })
}

async fn ask(operation: &str, with: &Arguments, signer: &Signer, witness: &Witness) -> Result<Outcome, String> {
    match operation.split_once(':') {
        Some(("s3", name)) => s3::ask(name, with, signer, witness).await,
        Some(("sts", name)) => sts::ask(name, with, signer, witness).await,
        Some(("iam", name)) => iam::ask(name, with, signer, witness).await,
        _ => signed::ask(operation, signer, witness).await,
    }
}
