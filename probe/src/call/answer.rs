//! From the SDK's results to a report's outcome.

use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::SdkError},
    http::Headers,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::{Value, json};

use crate::{Body, Outcome, Silence, SilenceKind, silence::causes};

/// What came back, before it is an outcome.
pub(crate) struct Came {
    pub(crate) body: Option<Body>,
    pub(crate) lists: Option<Vec<String>>,
    pub(crate) json: Value,
}

// === impl Came ===

impl Came {
    pub(crate) fn json(json: Value) -> Self {
        Self {
            body: None,
            lists: None,
            json,
        }
    }

    pub(crate) fn nothing() -> Self {
        Self::json(json!({}))
    }

    pub(crate) fn listing(lists: Vec<String>, json: Value) -> Self {
        Self {
            body: None,
            lists: Some(lists),
            json,
        }
    }
}

impl From<Came> for Outcome {
    fn from(Came { body, lists, json }: Came) -> Self {
        Self::Ok { body, lists, json }
    }
}

/// An outcome of an SDK's result.
///
/// # Errors
///
/// If the SDK refuses to build the request from the task's parameters.
pub(crate) fn outcome<T, E>(
    result: Result<T, SdkError<E, HttpResponse>>,
    came: impl FnOnce(T) -> Came,
) -> Result<Outcome, String>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match result {
        Ok(output) => Ok(came(output).into()),
        Err(err) => refused(err),
    }
}

/// The outcome of an error.
///
/// # Errors
///
/// As [`outcome`].
pub(crate) fn refused<E>(err: SdkError<E, HttpResponse>) -> Result<Outcome, String>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    Ok(match &err {
        SdkError::ServiceError(refusal) => {
            let status = refusal.raw().status().as_u16();
            Outcome::Error {
                code: code(refusal.err().code(), refusal.raw().headers(), status),
                message: refusal.err().message().map(str::to_owned),
                status: Some(status),
            }
        }
        SdkError::ResponseError(unreadable) => {
            let status = unreadable.raw().status().as_u16();
            if (200..300).contains(&status) {
                Outcome::Silence(Silence::new(SilenceKind::Unreadable, causes(&err)))
            } else {
                Outcome::Error {
                    code: status.to_string(),
                    message: Some(causes(&err)),
                    status: Some(status),
                }
            }
        }
        SdkError::TimeoutError(_) => Outcome::Silence(Silence::of_error(&err, true)),
        SdkError::DispatchFailure(failure) => Outcome::Silence(Silence::of_error(&err, failure.is_timeout())),
        _ => return Err(format!("the request cannot be built: {}", causes(&err))),
    })
}

/// A `HEAD` has no body to name the code, so it is the status' digits, as botocore has it.
fn code(code: Option<&str>, headers: &Headers, status: u16) -> String {
    let header = || headers.get("x-amz-error-code");
    code.or_else(header).map_or_else(|| status.to_string(), str::to_owned)
}
