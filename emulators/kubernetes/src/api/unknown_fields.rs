//! `fieldValidation`: what becomes of fields that a type does not have.

use serde_json::Value;

use super::{ApiError, FieldError, query::Query};
use crate::store::Kind;

/// The warnings about an object that was sent whole, or the refusal if the client wants to be strict.
pub(super) fn of_body(
    kind: impl Into<Kind>,
    sent: &Value,
    query: &Query,
    options: &str,
) -> Result<Vec<String>, ApiError> {
    let kind = kind.into();
    let unknown = find(kind, sent, query, options)?;
    if unknown.is_empty() || query.text("fieldValidation") != "Strict" {
        return Ok(unknown);
    }
    Err(ApiError::bad_request(format!(
        "{kind} in version {:?} cannot be handled as a {kind}: strict decoding error: {}",
        kind.version(),
        unknown.join(", "),
        kind = kind.name(),
    )))
}

/// As [`of_body`], about what the patch `sent` has made.
pub(super) fn of_patch(
    kind: impl Into<Kind>,
    patched: &Value,
    query: &Query,
    sent: &[u8],
) -> Result<Vec<String>, ApiError> {
    let unknown = find(kind.into(), patched, query, "PatchOptions")?;
    if unknown.is_empty() || query.text("fieldValidation") != "Strict" {
        return Ok(unknown);
    }
    let detail = format!("strict decoding error: {}", unknown.join(", "));
    let error = FieldError::invalid("patch", &String::from_utf8_lossy(sent), &detail);
    Err(ApiError::strict_patch(&error))
}

fn find(kind: Kind, sent: &Value, query: &Query, options: &str) -> Result<Vec<String>, ApiError> {
    let known = ["Ignore", "Strict", "Warn"];
    let mut unknown = Vec::new();
    match query.text("fieldValidation") {
        "Ignore" => {}
        "" | "Warn" | "Strict" => {
            // What cannot be decoded at all is refused later, in words of its own.
            if let Ok(decoded) = kind.decode(sent.clone()) {
                compare(sent, &decoded, "", &mut unknown);
            }
        }
        other => {
            let error = FieldError::not_supported("fieldValidation", other, &known);
            return Err(ApiError::invalid_options(options, &error));
        }
    }
    Ok(unknown)
}

fn compare(sent: &Value, decoded: &Value, path: &str, unknown: &mut Vec<String>) {
    match (sent, decoded) {
        (Value::Object(sent), Value::Object(decoded)) => {
            for (key, value) in sent.iter().filter(|(_, value)| !value.is_null()) {
                let at = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                match decoded.get(key) {
                    Some(decoded) => compare(value, decoded, &at, unknown),
                    None if ["kind", "apiVersion"].contains(&at.as_str()) => {}
                    None => unknown.push(format!("unknown field {at:?}")),
                }
            }
        }
        (Value::Array(sent), Value::Array(decoded)) => {
            for (at, (sent, decoded)) in sent.iter().zip(decoded).enumerate() {
                compare(sent, decoded, &format!("{path}[{at}]"), unknown);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Resource;

    #[test]
    fn unknown_fields_are_named_with_their_place() {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "labels": {"any": "label"}, "creationTimestamp": null},
            "spec": {"containers": [{"name": "c", "imagee": "i"}], "nodeSelector": {}, "hostnetwork": true},
            "more": 1,
        });
        let found = find(Resource::Pods.into(), &pod, &Query::parse(None), "CreateOptions");
        assert_eq!(
            found.expect("an option that is known"),
            [
                "unknown field \"spec.containers[0].imagee\"",
                "unknown field \"spec.hostnetwork\"",
                "unknown field \"more\""
            ]
        );
    }
}
