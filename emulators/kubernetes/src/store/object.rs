//! Reading and writing one object, kept as JSON.

use serde_json::{Map, Value};

/// The text at a JSON pointer, empty where there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether something other than null stands at a JSON pointer.
pub(crate) fn has(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).is_some_and(|value| !value.is_null())
}

/// The list at a JSON pointer, empty where there is none.
pub(crate) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Sets the field at `path`, making the maps on the way; what stood in their place and was no map is replaced.
pub(crate) fn set(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    let Some((first, rest)) = path.split_first() else {
        *object = value.into();
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Value::Object(map) = object {
        set(map.entry(*first).or_insert(Value::Null), rest, value);
    }
}

/// Sets the field at `path` where nothing stands yet.
pub(crate) fn set_default(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if !has(object, &format!("/{}", path.join("/"))) {
        set(object, path, value);
    }
}

/// Removes the field at `path`.
pub(crate) fn unset(object: &mut Value, path: &[&str]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut at = object;
    for part in parents {
        match at.get_mut(*part) {
            Some(next) => at = next,
            None => return,
        }
    }
    if let Value::Object(map) = at {
        map.shift_remove(*last);
    }
}

/// Puts at `path` what `from` has there, or nothing.
pub(crate) fn carry(object: &mut Value, from: &Value, path: &[&str]) {
    match from.pointer(&format!("/{}", path.join("/"))) {
        Some(value) => set(object, path, value.clone()),
        None => unset(object, path),
    }
}

/// The same object under another `metadata.resourceVersion`.
pub(crate) fn with_version(object: &Value, version: u64) -> Value {
    let mut object = object.clone();
    set(&mut object, &["metadata", "resourceVersion"], version.to_string());
    object
}

/// Puts `condition` among the object's `status.conditions`, in the place of one of the same type.
pub(crate) fn set_condition(object: &mut Value, condition: Value) {
    let kind = text(&condition, "/type").to_owned();
    let mut conditions = items(object, "/status/conditions").to_vec();
    match conditions.iter_mut().find(|c| text(c, "/type") == kind) {
        Some(place) => *place = condition,
        None => conditions.push(condition),
    }
    set(object, &["status", "conditions"], conditions);
}
