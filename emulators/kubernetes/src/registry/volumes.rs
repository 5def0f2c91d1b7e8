//! The volumes of a pod, as far as tokens are in them; volumes of other types are kept as they are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::metadata::check_label;
use crate::{
    api::FieldError,
    authentication::{DEFAULT_EXPIRATION, expiration_error},
    store::object::{has, items, set_default, text},
};

/// What the server fills in where a volume is silent.
pub(super) fn set_defaults(pod: &mut Value) {
    let Some(volumes) = pod.pointer_mut("/spec/volumes").and_then(Value::as_array_mut) else {
        return;
    };
    for volume in volumes {
        for kind in ["secret", "configMap", "downwardAPI", "projected"] {
            if has(volume, &format!("/{kind}")) {
                set_default(volume, &[kind, "defaultMode"], 0o644);
            }
        }
        let Some(sources) = volume.pointer_mut("/projected/sources").and_then(Value::as_array_mut) else {
            continue;
        };
        for source in sources {
            if has(source, "/serviceAccountToken") {
                set_default(
                    source,
                    &["serviceAccountToken", "expirationSeconds"],
                    DEFAULT_EXPIRATION,
                );
            }
            let fields = source.pointer_mut("/downwardAPI/items").and_then(Value::as_array_mut);
            for field in fields.into_iter().flatten() {
                if has(field, "/fieldRef") {
                    set_default(field, &["fieldRef", "apiVersion"], json!("v1"));
                }
            }
        }
    }
}

/// What is wrong with the volumes of a `spec` at `path`. Answers the names of those that a container may mount: of one
/// with an error a server says that it does not exist.
pub(super) fn check(pod: &Value, path: &str, errors: &mut Vec<FieldError>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, volume) in items(pod, "/spec/volumes").iter().enumerate() {
        let field = format!("{path}.volumes[{at}]");
        let name = text(volume, "/name");
        let before = errors.len();
        if name.is_empty() {
            errors.push(FieldError::required(format!("{field}.name"), ""));
        } else if let Some(error) = check_label(&format!("{field}.name"), name) {
            errors.push(error);
        } else if names.contains(name) {
            errors.push(FieldError::duplicate(format!("{field}.name"), name));
        }
        check_projected(volume, &format!("{field}.projected"), errors);
        if errors.len() == before {
            names.insert(name.to_owned());
        }
    }
    names
}

fn check_projected(volume: &Value, field: &str, errors: &mut Vec<FieldError>) {
    let mode = volume.pointer("/projected/defaultMode").and_then(Value::as_i64);
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.push(FieldError::invalid_value(format!("{field}.defaultMode"), mode, detail));
    }
    for (at, source) in items(volume, "/projected/sources").iter().enumerate() {
        let Some(token) = source.get("serviceAccountToken").filter(|token| token.is_object()) else {
            continue;
        };
        if let Some(seconds) = token["expirationSeconds"].as_i64() {
            let field = format!("{field}.sources[{at}].serviceAccountToken.expirationSeconds");
            errors.extend(expiration_error(&field, seconds));
        }
        let path = text(token, "/path");
        let field = format!("{field}.path");
        if path.is_empty() {
            errors.push(FieldError::required(field, ""));
        } else if path.starts_with('/') {
            errors.push(FieldError::invalid(field, path, "must be a relative path"));
        } else if path.split('/').any(|part| part == "..") {
            errors.push(FieldError::invalid(field, path, "must not contain '..'"));
        } else if path.starts_with("..") {
            errors.push(FieldError::invalid(field, path, "must not start with '..'"));
        }
    }
}

/// What is wrong with a container's mounts; `volumes` are those that there are.
pub(super) fn check_mounts(container: &Value, path: &str, volumes: &BTreeSet<String>, errors: &mut Vec<FieldError>) {
    let mut places = BTreeSet::new();
    for (at, mount) in items(container, "/volumeMounts").iter().enumerate() {
        let field = format!("{path}.volumeMounts[{at}]");
        let (name, place) = (text(mount, "/name"), text(mount, "/mountPath"));
        if name.is_empty() {
            errors.push(FieldError::required(format!("{field}.name"), ""));
        } else if !volumes.contains(name) {
            errors.push(FieldError::not_found(format!("{field}.name"), name));
        }
        if place.is_empty() {
            errors.push(FieldError::required(format!("{field}.mountPath"), ""));
        } else if !places.insert(place) {
            errors.push(FieldError::invalid(
                format!("{field}.mountPath"),
                place,
                "must be unique",
            ));
        }
    }
}
