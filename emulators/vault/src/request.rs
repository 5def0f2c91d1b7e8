//! A request as the rooms behind the HTTP handler see it.

use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::{duration, reply::Refusal};

/// What is asked of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    /// POST and PUT, which are the same.
    Write,
    Delete,
    List,
    Patch,
}

/// A request, with the parameters of its query or body.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) operation: Operation,
    /// Without `/v1/`; a list's ends with `/`.
    pub(crate) path: String,
    pub(crate) data: Map<String, Value>,
    pub(crate) token: Option<String>,
    /// How long the answer is to be wrapped, if it is.
    pub(crate) wrap: Option<SignedDuration>,
}

// === impl Request ===

impl Request {
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields(&self.data)
    }
}

/// The parameters, read as Vault's field types read them: a text may be given as a number, a list as a text with commas.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Map<String, Value>);

// === impl Fields ===

impl<'a> Fields<'a> {
    fn given(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    /// # Errors
    /// The value is a list or a map.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(flag)) => Ok(Some(if *flag { "1" } else { "0" }.to_owned())),
            Some(other) => Err(unconvertible(name, other, "string")),
        }
    }

    /// # Errors
    /// The value is no truth value.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::Number(number)) => Ok(Some(number.as_f64() != Some(0.0))),
            Some(Value::String(text)) => match text.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Some(true)),
                "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Some(false)),
                _ => Err(unconvertible(name, &Value::String(text.clone()), "bool")),
            },
            Some(other) => Err(unconvertible(name, other, "bool")),
        }
    }

    /// # Errors
    /// The value is no whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let number = match self.given(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) if text.is_empty() => Some(0),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(unconvertible(name, &self.0[name], "int")),
        }
    }

    /// # Errors
    /// The value is no duration, or less than nothing.
    pub(crate) fn duration(&self, name: &str) -> Result<Option<SignedDuration>, Refusal> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let duration = duration::parse(value).ok_or_else(|| match value {
            Value::String(text) => Refusal::bad(format!(
                "Field validation failed: error converting input for field {name:?}: time: invalid duration {text:?}"
            )),
            other => unconvertible(name, other, "duration"),
        })?;
        if duration.is_negative() {
            return Err(Refusal::bad(format!(
                "Field validation failed: error converting input for field {name:?}: cannot provide negative value '{}'",
                duration.as_secs()
            )));
        }
        Ok(Some(SignedDuration::from_secs(duration.as_secs())))
    }

    /// A list: an array, or a text with commas; what is empty is left out.
    ///
    /// # Errors
    /// The value, or an element, is of another type.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let split = |text: &str| -> Vec<String> {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(split(text))),
            Some(value @ Value::Array(items)) => {
                let texts = items.iter().map(|item| match item {
                    Value::String(text) => Ok(text.trim().to_owned()),
                    Value::Number(number) => Ok(number.to_string()),
                    _ => Err(unconvertible(name, value, "slice")),
                });
                Ok(Some(texts.collect::<Result<_, _>>()?))
            }
            Some(other) => Err(unconvertible(name, other, "slice")),
        }
    }

    /// Key-value pairs: a map, or a list of `key=value`.
    ///
    /// # Errors
    /// The value is of another type.
    pub(crate) fn pairs(&self, name: &str) -> Result<Option<Vec<(String, String)>>, Refusal> {
        if let Some(Value::Object(map)) = self.given(name) {
            let pairs = map.iter().map(|(key, value)| match value {
                Value::String(text) => Ok((key.clone(), text.clone())),
                Value::Number(number) => Ok((key.clone(), number.to_string())),
                other => Err(unconvertible(name, other, "map[string]string")),
            });
            let mut pairs = pairs.collect::<Result<Vec<_>, _>>()?;
            pairs.sort();
            return Ok(Some(pairs));
        }
        let Some(items) = self.list(name)? else { return Ok(None) };
        let pairs = items.into_iter().map(|item| match item.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(unconvertible(name, &Value::String(item), "map[string]string")),
        });
        let mut pairs = pairs.collect::<Result<Vec<_>, _>>()?;
        pairs.sort();
        Ok(Some(pairs))
    }
}

fn unconvertible(name: &str, value: &Value, kind: &str) -> Refusal {
    Refusal::bad(format!(
        "Field validation failed: error converting input {value} for field {name:?}: expected type '{kind}'"
    ))
}
