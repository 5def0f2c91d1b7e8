//! Who signs the tokens of the cluster's service accounts, for AWS.

use http::Request;
use kube::Client;
use serde::Deserialize;

use crate::{serve::control::TokenIssuer, world::WorldError};

/// What the API server tells of its tokens (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
}

/// The cluster's issuer and its keys, asked as AWS would ask if it could reach a cluster on this machine.
///
/// # Errors
/// The API server does not tell.
pub(super) async fn token_issuer(client: &Client) -> Result<TokenIssuer, WorldError> {
    let failed = |error: &dyn std::error::Error| WorldError::doing("ask the API server for its issuer's keys", error);
    let get = |path: &str| Request::get(path).body(Vec::new());
    let request = get("/.well-known/openid-configuration").map_err(|error| failed(&error))?;
    let discovery: Discovery = client.request(request).await.map_err(|error| failed(&error))?;
    let request = get("/openid/v1/jwks").map_err(|error| failed(&error))?;
    let jwks = client.request_text(request).await.map_err(|error| failed(&error))?;
    Ok(TokenIssuer {
        issuer: discovery.issuer,
        jwks,
    })
}
