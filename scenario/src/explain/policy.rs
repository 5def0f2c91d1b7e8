use serde_json::Value;

use super::phrase::{and, code};
use crate::model::{Document, Trust};

/// What a policy document says, as a clause: `it allows s3:* on *`.
pub(super) fn document(document: &Document) -> String {
    match document {
        Document::File(file) => format!("what {} says", code(file)),
        Document::Inline(value) => statements(&list(value.get("Statement"))),
    }
}

/// What a list of statements says.
pub(super) fn statements(statements: &[Value]) -> String {
    and(&statements.iter().map(statement).collect::<Vec<_>>())
}

fn statement(statement: &Value) -> String {
    let effect = match statement.get("Effect").and_then(Value::as_str) {
        Some("Deny") => "deny",
        _ => "allow",
    };
    let mut said = effect.to_owned();
    for (key, before) in [("Principal", ""), ("NotPrincipal", "everybody but ")] {
        if let Some(value) = statement.get(key) {
            said.push_str(&format!(" {before}{}", and(&principals(value))));
        }
    }
    for (key, before) in [
        ("Action", " "),
        ("NotAction", " everything but "),
        ("Resource", " on "),
        ("NotResource", " on everything but "),
    ] {
        if let Some(value) = statement.get(key) {
            said.push_str(&format!("{before}{}", and(&texts(value))));
        }
    }
    if statement.get("Condition").is_some() {
        said.push_str(" under a condition");
    }
    said
}

fn principals(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members.values().flat_map(texts).collect(),
        value => texts(value),
    }
}

fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list(Some(value)).iter().map(text).collect()
}

fn list(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items.clone(),
        Some(value) => vec![value.clone()],
        None => Vec::new(),
    }
}

/// Who may assume a role.
pub(super) fn trust(trust: &Trust) -> String {
    match trust {
        Trust::Node { external_id: None } => "the nodes may assume it".to_owned(),
        Trust::Node { external_id: Some(id) } => {
            format!("the nodes may assume it if they name the external id {}", code(id))
        }
        Trust::Ec2 => "EC2 instances may assume it, and no role may".to_owned(),
        Trust::Account => "everybody in the account whose own policies say so may assume it".to_owned(),
        Trust::None => "nobody may assume it".to_owned(),
        Trust::User(user) => format!("the user {user} may assume it"),
        Trust::Role(role) => format!("the role {role} may assume it"),
        Trust::ServiceAccount { namespace, name } => {
            format!("pods of the service account {namespace}/{name} may assume it, by the token they carry")
        }
        Trust::Document(Document::File(file)) => format!("{} says who may assume it", code(file)),
        Trust::Document(document @ Document::Inline(_)) => {
            format!("its trust policy: {}", self::document(document))
        }
    }
}
