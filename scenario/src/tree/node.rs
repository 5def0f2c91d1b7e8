use std::time::Duration;

use serde_json::{Map, Number, Value};

use crate::{Span, Spanned, duration::parse_duration};

/// A YAML node and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// The place; of a block collection from its first key to the end of its last value.
    pub(crate) span: Span,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// An unquoted `null`, `~` or nothing at all.
    Null,
    Scalar {
        text: String,
        style: Style,
    },
    List(Vec<Node>),
    /// Entries in the order written. `flow` is the style with braces, in which YAML has traps of its own.
    Map {
        entries: Vec<Entry>,
        flow: bool,
    },
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes: the only style in which a number or a boolean can be meant.
    Plain,
    Quoted,
    /// A `|` block: its lines are the text's lines.
    Literal,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Spanned<String>,
    pub(crate) value: Node,
}

/// What an unquoted scalar means by YAML 1.2's core schema, less the capitalised booleans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(&'a str),
}

// === impl Entry ===

impl Entry {
    /// From the key to the end of the value; of an alias' value, as far as the alias.
    pub(crate) fn span(&self) -> Span {
        let end = if self.value.span.start >= self.key.span.end {
            self.value.span.end
        } else {
            self.key.span.end
        };
        Span {
            start: self.key.span.start,
            end: end.max(self.key.span.end),
        }
    }
}

// === impl Node ===

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The text of a scalar as written, whatever it could mean.
    pub(crate) fn raw(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What a scalar means.
    pub(crate) fn scalar(&self) -> Option<Scalar<'_>> {
        match &self.kind {
            Kind::Scalar {
                text,
                style: Style::Plain,
            } => Some(resolve(text)),
            Kind::Scalar { text, .. } => Some(Scalar::Text(text)),
            _ => None,
        }
    }

    /// The text of a scalar that is a string.
    pub(crate) fn text(&self) -> Option<&str> {
        match self.scalar()? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match self.scalar()? {
            Scalar::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        match self.scalar()? {
            Scalar::Integer(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn duration(&self) -> Option<Duration> {
        parse_duration(self.raw()?).ok()
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The items of a list, or the node itself.
    pub(crate) fn one_or_more(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The entry of a map with this key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.value == key)
    }

    /// The value of a map's key, unless it is `null`.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key)
            .map(|entry| &entry.value)
            .filter(|value| !value.is_null())
    }

    /// As JSON. A float that JSON cannot say is kept as its text.
    pub(crate) fn json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Scalar { text, .. } => match self.scalar() {
                Some(Scalar::Bool(value)) => Value::Bool(value),
                Some(Scalar::Integer(value)) => Value::Number(value.into()),
                Some(Scalar::Float(value)) => {
                    Number::from_f64(value).map_or_else(|| Value::String(text.clone()), Value::Number)
                }
                _ => Value::String(text.clone()),
            },
            Kind::List(items) => Value::Array(items.iter().map(Node::json).collect()),
            Kind::Map { entries, .. } => {
                let members = entries
                    .iter()
                    .map(|entry| (entry.key.value.clone(), entry.value.json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// What the node is, for `found …`.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Scalar { .. } => match self.scalar() {
                Some(Scalar::Bool(value)) => format!("the boolean {value}"),
                Some(Scalar::Integer(_) | Scalar::Float(_)) => {
                    format!("the number {}", self.raw().unwrap_or_default())
                }
                _ => "text".to_owned(),
            },
            Kind::List(_) => "a list".to_owned(),
            Kind::Map { .. } => "a map".to_owned(),
        }
    }
}

/// YAML 1.2's core schema, with `true` and `false` as the only booleans.
fn resolve(text: &str) -> Scalar<'_> {
    match text {
        "true" => return Scalar::Bool(true),
        "false" => return Scalar::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Scalar::Text(text);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // An integer beyond 64 bits is no number anybody means here.
        return text.parse().map_or(Scalar::Text(text), Scalar::Integer);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(number) = text
            .strip_prefix(prefix)
            .and_then(|rest| i64::from_str_radix(rest, radix).ok())
        {
            return Scalar::Integer(number);
        }
    }
    let float = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse() {
        Ok(number) if float => Scalar::Float(number),
        _ => Scalar::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("true", Scalar::Bool(true))]
    #[case("no", Scalar::Text("no"))]
    #[case("True", Scalar::Text("True"))]
    #[case("2012-10-17", Scalar::Text("2012-10-17"))]
    #[case("1_000", Scalar::Text("1_000"))]
    #[case("012", Scalar::Integer(12))]
    #[case("0x1f", Scalar::Integer(31))]
    #[case("-1", Scalar::Integer(-1))]
    #[case("1.5", Scalar::Float(1.5))]
    #[case("4xx", Scalar::Text("4xx"))]
    #[case(".", Scalar::Text("."))]
    #[case("1.2.3", Scalar::Text("1.2.3"))]
    fn a_plain_scalar_means_what_yaml_1_2_says(#[case] text: &str, #[case] meaning: Scalar<'_>) {
        assert_eq!(resolve(text), meaning);
    }
}
