//! The claims of a service account's token. Its signature is the API server's business, which is asked afterwards.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::Value;

use super::{Config, Role};
use crate::reply::Refusal;

/// Algorithms that a token may be signed with.
const ALGORITHMS: [&str; 9] = [
    "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512",
];
/// The largest difference between the clocks that is let pass, in seconds.
const LEEWAY: i64 = 60;
/// How much earlier than it says a token is good, in seconds.
const EARLY: i64 = 150;

/// Whose token it is, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// The name of the secret that holds an old token that never ends.
    pub(super) secret_name: String,
    pub(super) audiences: Vec<String>,
}

/// Reads a token's claims and checks what can be checked without its issuer.
///
/// # Errors
/// 403, as Vault words it.
pub(super) fn claims(jwt: &str, config: &Config, role: &Role, now: Timestamp) -> Result<Claims, Refusal> {
    let denied = || Refusal::forbidden("permission denied");
    let parts: Vec<&str> = jwt.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return Err(denied());
    };
    let read = |part: &str| -> Option<Value> {
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?)
            .ok()
            .filter(Value::is_object)
    };
    let (Some(header), Some(claims), true) = (read(header), read(payload), URL_SAFE_NO_PAD.decode(signature).is_ok())
    else {
        return Err(denied());
    };
    if !header["alg"].as_str().is_some_and(|alg| ALGORITHMS.contains(&alg)) {
        return Err(denied());
    }
    check_times(&claims, now)?;
    let issuer = claims["iss"].as_str().unwrap_or_default();
    if !config.any_issuer && !config.issuer.is_empty() && issuer != config.issuer {
        return Err(Refusal::forbidden("invalid issuer (iss) claim"));
    }
    let audiences = match &claims["aud"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    if !role.audience.is_empty() && !audiences.contains(&role.audience) {
        return Err(Refusal::forbidden(
            "invalid audience (aud) claim: audience claim does not match any expected audience",
        ));
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let bound = &claims["kubernetes.io"];
    let found = if bound.is_object() {
        Claims {
            namespace: text(&bound["namespace"]),
            name: text(&bound["serviceaccount"]["name"]),
            uid: text(&bound["serviceaccount"]["uid"]),
            secret_name: String::new(),
            audiences,
        }
    } else {
        Claims {
            namespace: text(&claims["kubernetes.io/serviceaccount/namespace"]),
            name: text(&claims["kubernetes.io/serviceaccount/service-account.name"]),
            uid: text(&claims["kubernetes.io/serviceaccount/service-account.uid"]),
            secret_name: text(&claims["kubernetes.io/serviceaccount/secret.name"]),
            audiences,
        }
    };
    if role.names != ["*"] && !matches_any(&role.names, &found.name) {
        return Err(Refusal::forbidden("service account name not authorized"));
    }
    if !matches_any(&role.namespaces, &found.namespace) {
        return Err(Refusal::forbidden("namespace not authorized"));
    }
    Ok(found)
}

fn check_times(claims: &Value, now: Timestamp) -> Result<(), Refusal> {
    let at = |name: &str| claims[name].as_f64().map(|seconds| seconds as i64);
    let now = now.as_second();
    let (issued, from) = (at("iat"), at("nbf"));
    if at("exp").is_some_and(|end| now > end.saturating_add(LEEWAY)) {
        return Err(Refusal::forbidden(
            "invalid expiration time (exp) claim: token is expired",
        ));
    }
    if from.is_some_and(|from| now < from.saturating_sub(EARLY)) {
        return Err(Refusal::forbidden(
            "invalid not before (nbf) claim: token not yet valid",
        ));
    }
    if issued.is_some_and(|issued| now < issued.saturating_sub(LEEWAY)) {
        return Err(Refusal::forbidden(
            "invalid issued at (iat) claim: token issued in the future",
        ));
    }
    Ok(())
}

/// Whether a text is one of these; `*` at an end of one of them stands for anything.
fn matches_any(bound: &[String], text: &str) -> bool {
    bound
        .iter()
        .any(|bound| match (bound.strip_prefix('*'), bound.strip_suffix('*')) {
            (Some(""), _) => true,
            (Some(_), Some(_)) => text.contains(bound.trim_matches('*')),
            (Some(end), None) => text.ends_with(end),
            (None, Some(start)) => text.starts_with(start),
            (None, None) => bound == text,
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("reader", "reader", true)]
    #[case("read*", "reader", true)]
    #[case("*er", "reader", true)]
    #[case("*ead*", "reader", true)]
    #[case("*", "", true)]
    #[case("reader", "writer", false)]
    fn names_may_be_globs(#[case] bound: &str, #[case] name: &str, #[case] matches: bool) {
        assert_eq!(matches_any(&[bound.to_owned()], name), matches);
    }
}
