use serde_json::{Map, Value};

use crate::{Document, Masked};

// === impl Document ===

impl Document {
    /// Reads a body as a credential document: a JSON object. None of its keys need be there. A key that is not spelled
    /// as AWS spells it is found in any case, because some SDKs take it; [`names`](Self::names) tells the spelling.
    pub fn read(body: &str) -> Option<Self> {
        let object: Map<String, Value> = serde_json::from_str(body).ok()?;
        let text = |name: &str| {
            let spelled = object.get(name);
            let folded = || {
                object
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value)
            };
            match spelled.or_else(folded)? {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            }
        };
        Some(Self {
            access_key_id: text("AccessKeyId"),
            secret_access_key: text("SecretAccessKey").map(Masked::new),
            token: text("Token").map(Masked::new),
            expiration: text("Expiration"),
            last_updated: text("LastUpdated"),
            code: text("Code"),
            type_: text("Type"),
            names: object.keys().cloned().collect(),
            raw: Masked::new(body),
        })
    }
}
