//! Keys of an issuer that the control listener was told.

use rolecall_aws::{IssuerKeys, JwksFuture};

use super::TokenIssuer;

impl IssuerKeys for TokenIssuer {
    fn jwks<'a>(&'a self, issuer_url: &'a str) -> JwksFuture<'a> {
        Box::pin(async move {
            if issuer_url == self.issuer {
                Ok(self.jwks.clone())
            } else {
                Err(format!("{issuer_url} is not the issuer that is known here, {}", self.issuer).into())
            }
        })
    }
}
