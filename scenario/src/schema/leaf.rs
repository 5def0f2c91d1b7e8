use serde_json::{Value, json};

use crate::words::{NameKind, Shape};

/// A shape that is one value. Patterns are those that every dialect of regular expressions reads alike.
pub(super) fn schema(shape: &Shape) -> Value {
    match shape {
        Shape::Scalar | Shape::Code | Shape::HeaderValue => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Flag => json!({ "const": true }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Number { min, max } if *max == i64::MAX => json!({ "type": "integer", "minimum": min }),
        Shape::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Duration => json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$" }),
        Shape::NewName(kind) => new_name(*kind),
        Shape::Arn => json!({ "type": "string", "pattern": "^arn:([^:]*:){4}" }),
        Shape::File => file(),
        Shape::PolicyVersion => json!({ "enum": ["2012-10-17", "2008-10-17"] }),
        Shape::StatementsText => {
            json!({ "type": "string", "pattern": "^\\s*\\[", "contentMediaType": "application/json" })
        }
        Shape::TrustText => json!({ "anyOf": [
            { "enum": ["node", "ec2", "account", "none"] },
            { "type": "string", "pattern": "^(user|role|service_account):." },
            file(),
        ] }),
        Shape::AddressOf => json!({ "type": "string", "pattern": "^of:." }),
        Shape::Request => json!({ "type": "string", "pattern": "^[A-Z]+ [^\\r\\n]*\\S[^\\r\\n]*$" }),
        Shape::CommandLine => text("\\S"),
        Shape::Status => json!({ "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "string", "pattern": "^[1-5](xx|[0-9][0-9])$" },
        ] }),
        Shape::Operation => text("^[A-Za-z0-9-]+:."),
        Shape::JournalEntry => json!({
            "type": "string",
            "pattern": "^[A-Za-z0-9-]+:.",
            "not": { "pattern": "^(imds|kubernetes):([^*]|\\*.)" },
        }),
        Shape::Parameters => json!({ "type": "object" }),
        Shape::Subject => json!({ "anyOf": [
            { "const": "proxy" },
            {
                "type": "object",
                "properties": { "proxy": {
                    "description": "The node that it runs on.",
                    "type": "string",
                    "not": { "pattern": "^master-" },
                } },
                "required": ["proxy"],
                "additionalProperties": false,
            },
        ] }),
        Shape::Value | Shape::Expect => json!({}),
        Shape::Step => json!({ "$ref": "#/$defs/step" }),
        // The rest is text as far as its shape goes; collections are made elsewhere.
        _ => json!({ "type": "string" }),
    }
}

/// A name that is made.
pub(super) fn new_name(kind: NameKind) -> Value {
    match kind {
        NameKind::Pod => text("^[^/]+(/[^/]+)?$"),
        NameKind::Account => json!({ "type": "string", "pattern": "\\S", "not": { "enum": ["self", "aws"] } }),
        _ => text("\\S"),
    }
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn file() -> Value {
    json!({ "type": "string", "pattern": "\\.", "not": { "pattern": "^/|(^|/)\\.\\.(/|$)" } })
}
