use serde_json::{Map, Value};

use crate::Operation;

/// The parameters of one call, checked against its operation.
#[derive(Debug)]
pub(crate) struct Arguments {
    operation: &'static str,
    given: Map<String, Value>,
}

// === impl Arguments ===

impl Arguments {
    /// # Errors
    ///
    /// If a parameter is unknown to `operation`, or one that it requires is missing.
    pub(crate) fn new(operation: &'static Operation, given: Map<String, Value>) -> Result<Self, String> {
        let Operation { name, with } = *operation;
        if let Some(unknown) = given
            .keys()
            .find(|key| with.iter().all(|known| known.name != key.as_str()))
        {
            let known: Vec<_> = with.iter().map(|known| known.name).collect();
            return Err(format!("{name} takes no `{unknown}`; it takes [{}]", known.join(", ")));
        }
        let arguments = Self { operation: name, given };
        for parameter in with.iter().filter(|parameter| parameter.required) {
            arguments.required(parameter.name)?;
        }
        Ok(arguments)
    }

    /// A parameter's text.
    ///
    /// # Errors
    ///
    /// If it is not there.
    pub(crate) fn required(&self, name: &str) -> Result<String, String> {
        let missing = || format!("{} needs `{name}`", self.operation);
        self.optional(name).ok_or_else(missing)
    }

    /// A parameter's text, if it is there. What is no string is its JSON, so that a policy may be written as an object.
    pub(crate) fn optional(&self, name: &str) -> Option<String> {
        match self.given.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// A whole number, if it is there.
    ///
    /// # Errors
    ///
    /// If it is there and no number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i32>, String> {
        let parse = |text: String| {
            let parsed = text.parse();
            parsed.map_err(|_| format!("`{name}` of {} must be a whole number", self.operation))
        };
        self.optional(name).map(parse).transpose()
    }
}
