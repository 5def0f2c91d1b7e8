use serde::Deserialize;
use serde_json::Value;

/// One operation of a JSON patch (RFC 6902); paths are JSON pointers.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(in crate::api) enum Operation {
    Add { path: String, value: Value },
    Remove { path: String },
    Replace { path: String, value: Value },
    Move { from: String, path: String },
    Copy { from: String, path: String },
    Test { path: String, value: Value },
}

/// Applies the operations in order; the first that cannot be done is the error.
pub(super) fn apply(target: &mut Value, operations: &[Operation]) -> Result<(), String> {
    for operation in operations {
        match operation {
            Operation::Add { path, value } => add(target, path, value.clone())?,
            Operation::Remove { path } => {
                remove(target, path)?;
            }
            Operation::Replace { path, value } => {
                *target.pointer_mut(path).ok_or_else(|| missing("replace", path))? = value.clone();
            }
            Operation::Move { from, path } => {
                let value = remove(target, from)?;
                add(target, path, value)?;
            }
            Operation::Copy { from, path } => {
                let value = target.pointer(from).cloned().ok_or_else(|| missing("copy", from))?;
                add(target, path, value)?;
            }
            Operation::Test { path, value } => {
                if target.pointer(path) != Some(value) {
                    return Err(format!("testing value {path} failed: test failed"));
                }
            }
        }
    }
    Ok(())
}

fn missing(operation: &str, path: &str) -> String {
    format!("{operation} operation does not apply: doc is missing path: {path}: missing value")
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let Some((parent, last)) = path.rsplit_once('/') else {
        *target = value;
        return Ok(());
    };
    match target.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(unescape(last), value);
        }
        Some(Value::Array(list)) => {
            let at = if last == "-" {
                Some(list.len())
            } else {
                last.parse().ok()
            };
            let at = at.filter(|at| *at <= list.len()).ok_or_else(|| missing("add", path))?;
            list.insert(at, value);
        }
        _ => return Err(missing("add", path)),
    }
    Ok(())
}

fn remove(target: &mut Value, path: &str) -> Result<Value, String> {
    let (parent, last) = path.rsplit_once('/').ok_or_else(|| missing("remove", path))?;
    match target.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.shift_remove(&unescape(last)),
        Some(Value::Array(list)) => {
            let at: Option<usize> = last.parse().ok().filter(|at| *at < list.len());
            at.map(|at| list.remove(at))
        }
        _ => None,
    }
    .ok_or_else(|| missing("remove", path))
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn patched(patch: Value) -> Result<Value, String> {
        let mut target = json!({"m": {"a/b": 1}, "l": [1, 2]});
        let operations: Vec<Operation> = serde_json::from_value(patch).map_err(|e| e.to_string())?;
        apply(&mut target, &operations).map(|()| target)
    }

    #[rstest]
    #[case(json!([{"op": "add", "path": "/m/c", "value": 2}]), json!({"m": {"a/b": 1, "c": 2}, "l": [1, 2]}))]
    #[case(json!([{"op": "replace", "path": "/m/a~1b", "value": 2}]), json!({"m": {"a/b": 2}, "l": [1, 2]}))]
    #[case(json!([{"op": "remove", "path": "/m/a~1b"}]), json!({"m": {}, "l": [1, 2]}))]
    #[case(json!([{"op": "add", "path": "/l/-", "value": 3}]), json!({"m": {"a/b": 1}, "l": [1, 2, 3]}))]
    #[case(json!([{"op": "move", "from": "/l/0", "path": "/l/1"}]), json!({"m": {"a/b": 1}, "l": [2, 1]}))]
    #[case(json!([{"op": "copy", "from": "/l/0", "path": "/m/x"}]), json!({"m": {"a/b": 1, "x": 1}, "l": [1, 2]}))]
    #[case(json!([{"op": "test", "path": "/l/0", "value": 1}]), json!({"m": {"a/b": 1}, "l": [1, 2]}))]
    fn operations_are_applied(#[case] patch: Value, #[case] expected: Value) {
        assert_eq!(patched(patch), Ok(expected));
    }

    #[rstest]
    #[case(json!([{"op": "remove", "path": "/m/none"}]))]
    #[case(json!([{"op": "replace", "path": "/none/x", "value": 1}]))]
    #[case(json!([{"op": "add", "path": "/l/3", "value": 1}]))]
    #[case(json!([{"op": "test", "path": "/l/0", "value": 2}]))]
    #[case(json!([{"op": "remove", "path": ""}]))]
    #[case(json!([{"op": "grow", "path": "/m"}]))]
    fn an_operation_that_does_not_apply_is_an_error(#[case] patch: Value) {
        assert!(patched(patch).is_err());
    }
}
