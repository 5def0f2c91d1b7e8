//! Policies in short: a document, a statement, or a line such as `Allow s3:Get* on arn:aws:s3:::bucket/* by 111122223333`.

use serde_yaml::Value;

/// The documents that a case gives for one type of policy: one of them, or a list. `{text: …}` is taken as it stands.
pub(crate) fn documents(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Sequence(list) => list.iter().map(document).collect(),
        one => Ok(vec![document(one)?]),
    }
}

/// An identity-based policy that allows everything under a condition.
pub(crate) fn under(condition: &Value) -> Value {
    let mut statement = serde_yaml::Mapping::new();
    for (key, value) in [("Effect", "Allow"), ("Action", "*"), ("Resource", "*")] {
        statement.insert(key.into(), value.into());
    }
    statement.insert("Condition".into(), condition.clone());
    Value::Mapping(statement)
}

/// A value or a list of them, as a request has them.
pub(crate) fn texts(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Sequence(list) => list.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        other => Err(format!("{other:?} is no value")),
    }
}

fn document(value: &Value) -> Result<String, String> {
    if let Some(text) = value.get("text") {
        return text
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| "text must be text".to_owned());
    }
    let json = match value {
        Value::String(line) => statement(line)?,
        other => serde_json::to_value(other).map_err(|error| error.to_string())?,
    };
    let whole = json.get("Statement").is_some() || json.get("Version").is_some();
    let json = if whole {
        json
    } else {
        serde_json::json!({"Version": "2012-10-17", "Statement": [json]})
    };
    Ok(json.to_string())
}

/// `EFFECT ACTION[, ACTION…] [on RESOURCE[, …]] [by PRINCIPAL[, …]]`.
fn statement(line: &str) -> Result<serde_json::Value, String> {
    let (rest, by) = line
        .split_once(" by ")
        .map_or((line, None), |(rest, by)| (rest, Some(by)));
    let (rest, on) = rest
        .split_once(" on ")
        .map_or((rest, None), |(rest, on)| (rest, Some(on)));
    let (effect, actions) = rest
        .split_once(' ')
        .ok_or_else(|| format!("{line:?} names no action"))?;
    let list = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<_>>();
    let mut json = serde_json::json!({"Effect": effect, "Action": list(actions)});
    if let Some(on) = on {
        json["Resource"] = list(on).into();
    }
    match by {
        None => {}
        Some("*") => json["Principal"] = "*".into(),
        Some(by) => json["Principal"] = principals(&list(by)),
    }
    Ok(json)
}

/// Sorts principals by their kind.
fn principals(names: &[String]) -> serde_json::Value {
    let mut json = serde_json::json!({});
    for name in names {
        let kind = if name.ends_with(".amazonaws.com") && !name.contains("-identity") {
            "Service"
        } else if name.contains("-provider/") || (name.contains('.') && !name.starts_with("arn:")) {
            "Federated"
        } else {
            "AWS"
        };
        if json.get(kind).is_none() {
            json[kind] = serde_json::json!([]);
        }
        if let Some(list) = json[kind].as_array_mut() {
            list.push(name.as_str().into());
        }
    }
    json
}
