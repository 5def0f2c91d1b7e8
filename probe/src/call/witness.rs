use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef},
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

/// Sees what really leaves and what really comes back, and lets nothing leave unsigned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness(Arc<Mutex<Seen>>);

/// What a [`Witness`] saw last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) access_key_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) attempts: u32,
}

// === impl Witness ===

impl Witness {
    pub(crate) fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A request with this `Authorization` header is about to leave.
    ///
    /// # Errors
    ///
    /// If it is not signed.
    pub(crate) fn leaves(&self, authorization: Option<&str>) -> Result<(), String> {
        let Some(access_key_id) = authorization.and_then(signing_key) else {
            return Err("the request is not signed, so it was not sent".to_owned());
        };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let attempts = seen.attempts.saturating_add(1);
        *seen = Seen {
            access_key_id: Some(access_key_id.to_owned()),
            attempts,
            ..Seen::default()
        };
        Ok(())
    }

    /// An answer came; `header` looks a header of it up.
    pub(crate) fn came<'a>(&self, status: u16, header: impl Fn(&str) -> Option<&'a str>) {
        let id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id"));
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.status = Some(status);
        seen.request_id = id.map(str::to_owned);
    }
}

impl Intercept for Witness {
    fn name(&self) -> &'static str {
        "RolecallWitness"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Ok(self.leaves(context.request().headers().get("authorization"))?)
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        self.came(response.status().as_u16(), |name| response.headers().get(name));
        Ok(())
    }
}

/// The key's id in `AWS4-HMAC-SHA256 Credential=<id>/<date>/…`.
fn signing_key(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_a_signature_does_not_leave() {
        let witness = Witness::default();
        for authorization in [
            None,
            Some(""),
            Some("Bearer x"),
            Some("AWS4-HMAC-SHA256 Credential=/2026"),
        ] {
            assert!(witness.leaves(authorization).is_err(), "{authorization:?}");
        }
        assert_eq!(witness.seen().attempts, 0);
    }

    #[test]
    fn the_last_attempt_is_what_is_told() {
        let witness = Witness::default();
        let signed = |key: &str| format!("AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/s3/aws4_request");
        assert_eq!(witness.leaves(Some(&signed("A"))), Ok(()));
        witness.came(503, |_| Some("one"));
        assert_eq!(witness.leaves(Some(&signed("B"))), Ok(()));
        let seen = witness.seen();
        assert_eq!(
            (seen.access_key_id.as_deref(), seen.status, seen.attempts),
            (Some("B"), None, 2)
        );
    }
}
