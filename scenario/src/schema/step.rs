use serde_json::{Map, Value, json};

use super::build::{Definitions, description, members};
use crate::words::{ACTIONS, ActionWord, By, EVERY_STEP, NameKind, Shape, Word};

/// Defines `step`, and each kind of step by its action.
pub(super) fn define(definitions: &mut Definitions) {
    let words = EVERY_STEP.iter().chain(ACTIONS.iter().map(|action| &action.word));
    let known: Map<String, Value> = words
        .map(|word| {
            let text = description(word.doc, word.availability);
            (word.name.to_owned(), json!({ "description": text }))
        })
        .collect();
    let name = |action: &ActionWord| action.word.name;
    let one: Vec<Value> = ACTIONS
        .iter()
        .map(|action| json!({ "required": [name(action)] }))
        .collect();
    let then = |action: &ActionWord| {
        json!({
            "if": { "required": [name(action)] },
            "then": { "$ref": format!("#/$defs/step-{}", name(action)) },
        })
    };
    let step = json!({
        "description": "One step: one action, and what must come of it.",
        "type": "object",
        "properties": known,
        "oneOf": one,
        "allOf": ACTIONS.iter().map(then).collect::<Vec<_>>(),
    });
    definitions.all.insert("step".to_owned(), step);
    for action in ACTIONS {
        let schema = kind(definitions, action);
        definitions.all.insert(format!("step-{}", action.word.name), schema);
    }
}

/// A step with one action.
fn kind(definitions: &mut Definitions, action: &ActionWord) -> Value {
    let mut properties = Map::new();
    properties.insert(action.word.name.to_owned(), definitions.word(&action.word, false));
    for word in action.beside {
        properties.insert(word.name.to_owned(), definitions.word(word, false));
    }
    for word in EVERY_STEP.iter().filter(|word| action.takes(word.name)) {
        let schema = match word.shape {
            Shape::Expect => expect(definitions, word, action),
            Shape::Name(NameKind::Actor) if action.by == By::Pod => {
                let pod = Word {
                    doc: "the pod that acts",
                    ..*word
                };
                definitions.word(&pod, false)
            }
            _ => definitions.word(word, false),
        };
        properties.insert(word.name.to_owned(), schema);
    }
    let mut schema = members(&json!({ "type": "object", "properties": properties, "additionalProperties": false }));
    let rules = rules(action);
    if !rules.is_empty() {
        schema.insert("allOf".to_owned(), rules.into());
    }
    Value::Object(schema)
}

/// Words that an action needs beside it, or that exclude each other.
fn rules(action: &ActionWord) -> Vec<Value> {
    let mut rules = Vec::new();
    match action.by {
        By::PodOrNode | By::Pod => rules.push(json!({ "required": ["as"] })),
        By::PodNodeOrKeys => rules.push(json!({ "anyOf": [{ "required": ["as"] }, { "required": ["using"] }] })),
        By::Operator | By::Observer => {}
    }
    match (action.by, action.saves) {
        (By::Operator, _) => {}
        (_, true) => rules.push(json!({ "anyOf": [{ "required": ["expect"] }, { "required": ["save"] }] })),
        (_, false) => rules.push(json!({ "required": ["expect"] })),
    }
    if action.saves {
        rules.push(json!({ "not": { "required": ["save", "at_once"] } }));
    }
    rules
}

/// `expect:` with the words that the action can give: one that stands alone, or a map.
fn expect(definitions: &mut Definitions, word: &Word, action: &ActionWord) -> Value {
    let alone: Vec<&str> = action
        .expect
        .iter()
        .filter(|word| matches!(word.shape, Shape::Flag))
        .map(|word| word.name)
        .collect();
    let words: Map<String, Value> = action
        .expect
        .iter()
        .map(|word| (word.name.to_owned(), definitions.word(word, false)))
        .collect();
    let map = json!({ "type": "object", "minProperties": 1, "properties": words, "additionalProperties": false });
    let mut schema = members(&json!({ "description": description(word.doc, word.availability) }));
    schema.extend(if alone.is_empty() {
        members(&map)
    } else {
        members(&json!({ "anyOf": [{ "enum": alone }, map] }))
    });
    Value::Object(schema)
}
