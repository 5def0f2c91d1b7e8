use serde_json::Value;

use super::type_error;

use crate::{
    api::{ApiError, FieldError},
    store::{Kind, Resource, is_qualified_name, object::text},
};

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// All annotations of an object together may be this long (`TotalAnnotationSizeLimitB`).
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// Whether `name` is a lower-case DNS label of RFC 1123.
pub(super) fn is_label(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = name.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

/// The problem that `field` has as a DNS label of at most 63 characters.
pub(super) fn check_label(field: &str, name: &str) -> Option<FieldError> {
    if !is_label(name) {
        return Some(FieldError::invalid(field, name, LABEL));
    }
    (name.len() > 63).then(|| FieldError::invalid(field, name, "must be no more than 63 characters"))
}

fn check_subdomain(field: &str, name: &str) -> Option<FieldError> {
    if !name.split('.').all(is_label) {
        return Some(FieldError::invalid(field, name, SUBDOMAIN));
    }
    (name.len() > 253).then(|| FieldError::invalid(field, name, "must be no more than 253 characters"))
}

/// What is wrong with the name, the labels and the annotations of an object.
pub(super) fn check(resource: Resource, object: &Value, errors: &mut Vec<FieldError>) {
    let name = text(object, "/metadata/name");
    if name.is_empty() {
        errors.push(FieldError::required(
            "metadata.name",
            "name or generateName is required",
        ));
    } else {
        errors.extend(match resource {
            Resource::Namespaces => check_label("metadata.name", name),
            _ => check_subdomain("metadata.name", name),
        });
    }
    check_labels(object, "metadata", errors);
}

/// What is wrong with the labels and annotations in the `metadata` of an object; `path` is where errors say they are.
pub(super) fn check_labels(object: &Value, path: &str, errors: &mut Vec<FieldError>) {
    check_label_map(object, "/metadata/labels", &format!("{path}.labels"), errors);
    let field = format!("{path}.annotations");
    let mut size = 0;
    for (key, value) in pairs(object, "/metadata/annotations") {
        size += key.len() + value.len();
        // The server compares annotation keys in lower case.
        if !is_qualified_name(&key.to_lowercase()) {
            errors.push(FieldError::invalid(field.clone(), key, QUALIFIED));
        }
    }
    if size > ANNOTATIONS_LIMIT {
        let detail = format!("may not be more than {ANNOTATIONS_LIMIT} bytes");
        errors.push(FieldError::invalid(field, "", &detail));
    }
}

/// What is wrong with the labels in the map at `pointer`.
pub(super) fn check_label_map(object: &Value, pointer: &str, path: &str, errors: &mut Vec<FieldError>) {
    for (key, value) in pairs(object, pointer) {
        errors.extend(check_label_key(path, key));
        if !value.is_empty() && (!is_qualified_name(value) || value.contains('/')) {
            errors.push(FieldError::invalid(path, value, LABEL_VALUE));
        }
    }
}

/// The problem that `field` has as the key of a label.
pub(super) fn check_label_key(field: &str, key: &str) -> Option<FieldError> {
    (!is_qualified_name(key)).then(|| FieldError::invalid(field, key, QUALIFIED))
}

fn pairs<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let map = object.pointer(pointer).and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
}

/// Checks that an object says of itself what the path says of it, and its fields' types.
pub(crate) fn decode(kind: impl Into<Kind>, object: Value) -> Result<Value, ApiError> {
    let kind = kind.into();
    if !object.is_object() {
        return Err(ApiError::bad_request(format!(
            "the body must be one {} as a JSON object",
            kind.name()
        )));
    }
    let said = |field: &str, otherwise: &'static str| match object.get(field).and_then(Value::as_str) {
        None | Some("") => otherwise.to_owned(),
        Some(said) => said.to_owned(),
    };
    let said_kind = said("kind", kind.name());
    let api_version = said("apiVersion", kind.api_version());
    let refused = |problem: String| {
        ApiError::bad_request(format!(
            "{said_kind} in version {:?} cannot be handled as a {}: {problem}",
            api_version.rsplit('/').next().unwrap_or_default(),
            kind.name(),
        ))
    };
    if said_kind != kind.name() {
        return Err(refused(if Kind::find(&said_kind, &api_version).is_some() {
            let internal = match kind.group().split('.').next() {
                None | Some("") => "core",
                Some(group) => group,
            };
            let version = kind.version();
            format!(
                "converting ({version}.{said_kind}) to ({internal}.{}): unknown conversion",
                kind.name()
            )
        } else {
            format!(
                "no kind {said_kind:?} is registered for version {api_version:?} in scheme \"pkg/api/legacyscheme/scheme.go:30\""
            )
        }));
    }
    if api_version != kind.api_version() {
        return Err(ApiError::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({})",
            kind.api_version()
        )));
    }
    kind.decode(object.clone())
        .map_err(|error| refused(type_error::explain(kind, &object).unwrap_or_else(|| error.to_string())))
}
