use std::{sync::PoisonError, time::Duration};

use super::{Front, asked::Asked};
use crate::{service::Service, services::sts, web_identity::Jwks};

/// Time that the keys of an issuer may take.
const TIME: Duration = Duration::from_secs(5);

// === impl Front ===

impl Front {
    /// The keys of the issuer of a request's token. Nobody is asked about an issuer that is no provider of the role's
    /// account, whoever names it.
    pub(super) async fn issuer_keys(&self, asked: &Asked) -> Option<Result<Jwks, String>> {
        let operation = asked.params.get("Action")?;
        if asked.service != Service::Sts || operation != sts::WEB_IDENTITY {
            return None;
        }
        let issuer = sts::issuer_to_ask(&self.state(), &asked.params)?;
        let keys = self
            .shared
            .issuers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        Some(match tokio::time::timeout(TIME, keys.jwks(&issuer)).await {
            Ok(Ok(text)) => Jwks::parse(&text).map_err(|error| format!("{issuer} has no key set: {error}")),
            Ok(Err(error)) => Err(format!("the keys of {issuer} cannot be had: {error}")),
            Err(_) => Err(format!("{issuer} did not give its keys in {} s", TIME.as_secs())),
        })
    }
}
