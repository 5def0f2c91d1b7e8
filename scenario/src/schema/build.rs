use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{leaf, step};
use crate::words::{Availability, Choice, Key, NameKind, Shape, Structure, TOP, Word};

/// The JSON Schema (draft 2020-12) of a scenario file, its members always in the same order.
pub fn schema() -> Value {
    let mut definitions = Definitions::default();
    let mut root = members(&json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of Rolecall",
        "description": "What exists, who does what, and what must come back.",
    }));
    root.extend(definitions.structure(&TOP, false));
    step::define(&mut definitions);
    root.insert("$defs".to_owned(), Value::Object(definitions.all));
    Value::Object(root)
}

/// The parts that others refer to, in the order in which they are first met.
#[derive(Default)]
pub(super) struct Definitions {
    pub(super) all: Map<String, Value>,
    /// The names of structures; with `true` where `null` restores the default of each of its words.
    names: BTreeMap<(&'static str, bool), String>,
}

// === impl Definitions ===

impl Definitions {
    /// What may stand behind a word, with the word's own description.
    pub(super) fn word(&mut self, word: &Word, null: bool) -> Value {
        let mut schema = Map::new();
        schema.insert(
            "description".to_owned(),
            description(word.doc, word.availability).into(),
        );
        let null = null || matches!(word.name, "given" | "proxy" | "apply");
        let value = self.shape(&word.shape, null);
        schema.extend(members(&if null { or_null(value) } else { value }));
        Value::Object(schema)
    }

    /// What has a shape. `null` says whether a word inside may be written as `null`, as in `given` and `apply`.
    pub(super) fn shape(&mut self, shape: &Shape, null: bool) -> Value {
        match shape {
            Shape::Struct(structure) => self.refer(structure, null),
            Shape::List(Shape::Step) => json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/step" } }),
            Shape::List(item) => json!({ "type": "array", "items": self.shape(item, null) }),
            Shape::OneOrMore(item) => {
                let item = self.shape(item, null);
                json!({ "anyOf": [item, { "type": "array", "minItems": 1, "items": item }] })
            }
            Shape::Either(shapes) => {
                let all: Vec<Value> = shapes.iter().map(|shape| self.shape(shape, null)).collect();
                json!({ "anyOf": all })
            }
            Shape::Map { key, value } => {
                let mut schema = members(&json!({ "type": "object" }));
                schema.extend(keys(*key).map(|keys| ("propertyNames".to_owned(), keys)));
                schema.insert("additionalProperties".to_owned(), self.free(value, null));
                Value::Object(schema)
            }
            Shape::OneOf(choices) => one_of(choices),
            _ => leaf::schema(shape),
        }
    }

    /// The value of a key that is no word: only whole things can be written as `null`.
    fn free(&mut self, shape: &Shape, null: bool) -> Value {
        let null = null && matches!(shape, Shape::Struct(_));
        let value = self.shape(shape, null);
        if null { or_null(value) } else { value }
    }

    /// A reference to a structure, which is defined where it is first met.
    fn refer(&mut self, structure: &Structure, null: bool) -> Value {
        let name = match self.names.get(&(structure.what, null)) {
            Some(name) => name.clone(),
            None => {
                let mut name = slug(structure.what);
                if self.all.contains_key(&name) {
                    name.push_str(if null { "-or-null" } else { "-in-full" });
                }
                self.names.insert((structure.what, null), name.clone());
                // Its place among the others is kept while its parts are met.
                self.all.insert(name.clone(), Value::Null);
                let schema = self.structure(structure, null);
                self.all.insert(name.clone(), Value::Object(schema));
                name
            }
        };
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn structure(&mut self, structure: &Structure, null: bool) -> Map<String, Value> {
        let words = structure.words.iter();
        let properties: Map<String, Value> = words
            .map(|word| (word.name.to_owned(), self.word(word, null)))
            .collect();
        let required: Vec<&str> = structure
            .words
            .iter()
            .filter(|word| word.required)
            .map(|word| word.name)
            .collect();
        let rest = match structure.rest {
            Some((_, shape)) => self.free(shape, null),
            None => Value::Bool(false),
        };
        let mut schema = members(&json!({ "type": "object", "properties": properties }));
        if !required.is_empty() {
            schema.insert("required".to_owned(), required.into());
        }
        schema.insert("additionalProperties".to_owned(), rest);
        schema
    }
}

/// What a word means, and that it is not built if it is not.
pub(super) fn description(doc: &str, availability: Availability) -> String {
    let mut text = sentence(doc);
    if let Availability::NotYet(reason) = availability {
        text.push_str(&format!(" (A scenario that uses it is skipped: {reason}.)"));
    }
    text
}

fn sentence(fragment: &str) -> String {
    let mut characters = fragment.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str())
}

fn one_of(choices: &[Choice]) -> Value {
    if choices.iter().all(|choice| choice.availability == Availability::Now) {
        let names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
        return json!({ "enum": names });
    }
    let choice = |choice: &Choice| match choice.availability {
        Availability::Now => json!({ "const": choice.name }),
        Availability::NotYet(reason) => {
            json!({ "const": choice.name, "description": format!("A scenario that uses it is skipped: {reason}.") })
        }
    };
    json!({ "oneOf": choices.iter().map(choice).collect::<Vec<_>>() })
}

/// What the keys of a map look like, where not every text will do.
fn keys(key: Key) -> Option<Value> {
    match key {
        Key::New(kind @ NameKind::Pod) => Some(leaf::new_name(kind)),
        Key::New(_) => Some(json!({ "pattern": "\\S" })),
        Key::Free(_) => None,
    }
}

fn or_null(schema: Value) -> Value {
    match schema.get("type") {
        Some(Value::String(kind)) => {
            let kinds = json!([kind, "null"]);
            let mut schema = members(&schema);
            schema.insert("type".to_owned(), kinds);
            Value::Object(schema)
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// The members of an object; none of anything else.
pub(super) fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// A name for a definition: `a policy statement` is `policy-statement`.
fn slug(what: &str) -> String {
    let words = what
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !matches!(*word, "" | "a" | "an" | "the" | "s" | "of" | "is"));
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}
