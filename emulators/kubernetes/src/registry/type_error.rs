//! The server's words for a field of the wrong type, which are those of Go's decoder. Which field it is, and what it
//! should be, is found out by asking the types again about parts of the object.

use serde_json::{Map, Value, json};

use crate::store::Kind;

/// One step into an object.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Field(String),
    Item,
}

/// What is wrong with the types in `object`, if it can be said as Go says it.
pub(super) fn explain(kind: Kind, object: &Value) -> Option<String> {
    let (path, value) = offender(kind, object);
    let expected = go_type(kind, &path, 3)?;
    let found = match value {
        Value::Null => return None,
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    // The nearest struct around it, and the fields that lead to it; the keys of a map are none.
    let structure = (0..path.len())
        .rev()
        .find_map(|length| struct_name(&probe(kind, &path[..length], json!(true))?))?;
    let fields: Vec<&str> = (0..path.len())
        .filter_map(|at| match &path[at] {
            Step::Field(name) if probe(kind, &path[..at], json!(true)).as_deref() != Some("a map") => {
                Some(name.as_str())
            }
            Step::Field(_) | Step::Item => None,
        })
        .collect();
    Some(format!(
        "json: cannot unmarshal {found} into Go struct field {structure}.{} of type {expected}",
        fields.join(".")
    ))
}

/// The first value, as deep as possible, that cannot be read even if nothing else is there.
fn offender(kind: Kind, object: &Value) -> (Vec<Step>, &Value) {
    let (mut path, mut value) = (Vec::new(), object);
    loop {
        // Where a list is due, nothing in a map can be right: then the map is what is wrong.
        let empty = match value {
            Value::Object(_) => json!({}),
            Value::Array(_) => json!([]),
            _ => return (path, value),
        };
        if kind.decode(alone(&path, empty)).is_err() {
            return (path, value);
        }
        let children: Vec<(Step, &Value)> = match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| (Step::Field(key.clone()), value))
                .collect(),
            Value::Array(list) => list.iter().map(|item| (Step::Item, item)).collect(),
            _ => Vec::new(),
        };
        let wrong = children.into_iter().find(|(step, child)| {
            let mut path = path.clone();
            path.push(step.clone());
            kind.decode(alone(&path, Value::clone(child))).is_err()
        });
        match wrong {
            Some((step, child)) => {
                path.push(step);
                value = child;
            }
            None => return (path, value),
        }
    }
}

/// An object with nothing in it but `value` at `path`.
fn alone(path: &[Step], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, step| match step {
        Step::Field(name) => {
            let mut fields = Map::new();
            fields.insert(name.clone(), inner);
            Value::Object(fields)
        }
        Step::Item => Value::Array(vec![inner]),
    })
}

/// What the types say they expect at `path` instead of `value`.
fn probe(kind: Kind, path: &[Step], value: Value) -> Option<String> {
    let error = kind.decode(alone(path, value)).err()?.to_string();
    error.rsplit_once("expected ").map(|(_, expected)| expected.to_owned())
}

fn struct_name(expected: &str) -> Option<String> {
    let named = expected.starts_with(|first: char| first.is_ascii_uppercase())
        && expected.chars().all(|letter| letter.is_ascii_alphanumeric());
    named.then(|| expected.to_owned())
}

/// The Go type of the field at `path`, if it is made of at most `depth` lists and maps.
fn go_type(kind: Kind, path: &[Step], depth: usize) -> Option<String> {
    let Some(expected) = probe(kind, path, json!(true)) else {
        return Some("bool".to_owned());
    };
    let inside = |step: Step| {
        let mut path = path.to_vec();
        path.push(step);
        go_type(kind, &path, depth.checked_sub(1)?)
    };
    match expected.as_str() {
        "a string" => Some("string".to_owned()),
        "i32" => Some("int32".to_owned()),
        "i64" => Some("int64".to_owned()),
        "a sequence" => inside(Step::Item).map(|inner| format!("[]{inner}")),
        "a map" => inside(Step::Field("key".to_owned())).map(|inner| format!("map[string]{inner}")),
        other => struct_name(other).map(|name| format!("v1.{name}")),
    }
}
