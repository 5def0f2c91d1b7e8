//! JSON as written: every member of an object is kept in its order, so that a repeated key can be refused.
//!
//! `serde_json::Value` keeps the last of two equal keys, and a policy could then say one thing to a reader and
//! another to the evaluator.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::PolicyError;

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// A number as JSON would print it.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// A string of the document and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) text: String,
    pub(crate) place: String,
}

/// Reads a whole document. Nesting is bounded by `serde_json` (128 levels).
pub(crate) fn read(json: &str) -> Result<Node, PolicyError> {
    serde_json::from_str(json).map_err(|error| PolicyError::malformed("", format!("not valid JSON: {error}")))
}

/// The place of a member of the object at `place`.
pub(crate) fn member(place: &str, key: &str) -> String {
    if place.is_empty() {
        key.to_owned()
    } else {
        format!("{place}.{key}")
    }
}

// === impl Node ===

impl Node {
    /// The kind of value, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The members of an object whose keys all differ.
    pub(crate) fn members(&self, place: &str) -> Result<&[(String, Node)], PolicyError> {
        let Self::Object(members) = self else {
            return Err(PolicyError::malformed(
                place,
                format!("must be an object, found {}", self.kind()),
            ));
        };
        let mut seen = std::collections::HashSet::new();
        for (key, _) in members {
            if !seen.insert(key) {
                return Err(PolicyError::malformed(
                    member(place, key),
                    "the key appears twice in the same object",
                ));
            }
        }
        Ok(members)
    }

    /// A string.
    pub(crate) fn text(&self, place: &str) -> Result<&str, PolicyError> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(PolicyError::malformed(
                place,
                format!("must be a string, found {}", other.kind()),
            )),
        }
    }

    /// One string or a list of at least one.
    pub(crate) fn texts(&self, place: &str) -> Result<Vec<Placed>, PolicyError> {
        self.each(place, |node, place| node.text(place).map(str::to_owned))
    }

    /// One value or a list of at least one, where the quotation marks of numbers and booleans are optional.
    pub(crate) fn scalars(&self, place: &str) -> Result<Vec<Placed>, PolicyError> {
        self.each(place, |node, place| match node {
            Self::Bool(value) => Ok(value.to_string()),
            Self::Number(number) => Ok(number.clone()),
            other => other.text(place).map(str::to_owned),
        })
    }

    fn each(
        &self,
        place: &str,
        read: impl Fn(&Self, &str) -> Result<String, PolicyError>,
    ) -> Result<Vec<Placed>, PolicyError> {
        let Self::List(list) = self else {
            return Ok(vec![Placed {
                text: read(self, place)?,
                place: place.to_owned(),
            }]);
        };
        if list.is_empty() {
            return Err(PolicyError::malformed(place, "the list is empty"));
        }
        list.iter()
            .enumerate()
            .map(|(index, node)| {
                let place = format!("{place}[{index}]");
                Ok(Placed {
                    text: read(node, &place)?,
                    place,
                })
            })
            .collect()
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = sequence.next_element()? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(entry) = map.next_entry()? {
            members.push(entry);
        }
        Ok(Node::Object(members))
    }
}
