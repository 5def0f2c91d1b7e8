//! The API server's word on a token.

use bytes::Bytes;
use http::{Request, header};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Config, jwt::Claims};
use crate::core::Core;

/// Asks for a TokenReview.
///
/// # Errors
/// Why the token is not what it says, for the log alone.
pub(super) async fn review(
    core: &Core,
    config: &Config,
    jwt: &str,
    audience: &str,
    claims: &Claims,
) -> Result<(), String> {
    let audiences = if audience.is_empty() {
        claims.audiences.clone()
    } else {
        vec![audience.to_owned()]
    };
    let mut spec = json!({ "token": jwt });
    if !audiences.is_empty() {
        spec["audiences"] = json!(audiences);
    }
    let body = json!({ "metadata": {}, "spec": spec, "status": { "user": {} } });
    let bearer = config
        .reviewer_jwt
        .as_ref()
        .map_or(jwt, |reviewer| reviewer.expose_secret());
    let url = format!(
        "{}/apis/authentication.k8s.io/v1/tokenreviews",
        config.host.trim_end_matches('/')
    );
    let body = Bytes::from(body.to_string());
    let url: http::Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let request = Request::post(url.clone())
        .header(header::HOST, url.authority().map_or("", |authority| authority.as_str()))
        .header(header::USER_AGENT, "Go-http-client/1.1")
        .header(header::AUTHORIZATION, format!("Bearer {bearer}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_LENGTH, body.len())
        .body(body)
        .map_err(|error| error.to_string())?;
    let answer = core
        .outgoing
        .call(request, Some(&config.ca))
        .await
        .map_err(|error| error.to_string())?;
    if !(200..=206).contains(&answer.status().as_u16()) {
        return Err(format!("lookup failed: the API server answered {}", answer.status()));
    }
    let body: Value = serde_json::from_slice(answer.body()).map_err(|error| error.to_string())?;
    let status = &body["status"];
    if let Some(error) = status["error"].as_str().filter(|error| !error.is_empty()) {
        return Err(format!("lookup failed: {error}"));
    }
    if status["authenticated"] != json!(true) {
        return Err("lookup failed: service account jwt not valid".to_owned());
    }
    let seen = status["audiences"].as_array().cloned().unwrap_or_default();
    if !audiences.is_empty() && !audiences.iter().any(|wanted| seen.contains(&json!(wanted))) {
        return Err(format!("lookup failed: the token is not for {audiences:?}"));
    }
    let user = &status["user"];
    let expected = format!("system:serviceaccount:{}:{}", claims.namespace, claims.name);
    if user["username"] != json!(expected) {
        return Err(format!("lookup failed: the token is not that of {expected}"));
    }
    if user["uid"] != json!(claims.uid) {
        return Err("lookup failed: the service account was made anew since".to_owned());
    }
    Ok(())
}
