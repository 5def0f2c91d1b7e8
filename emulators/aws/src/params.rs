use std::collections::BTreeMap;

use crate::{answer::Refusal, request::Received};

/// The parameters of a query-protocol request, from the form in its body and from its query string.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

/// Parameters of every request.
const ALWAYS: [&str; 2] = ["Action", "Version"];

// === impl Params ===

impl Params {
    pub(crate) fn of(request: &Received) -> Self {
        let mut params = BTreeMap::new();
        let form = request
            .header(http::header::CONTENT_TYPE)
            .is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
        let body: &[u8] = if form { &request.body } else { &[] };
        for (name, value) in form_urlencoded::parse(request.query.as_bytes()).chain(form_urlencoded::parse(body)) {
            params.insert(name.into_owned(), value.into_owned());
        }
        Self(params)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// # Errors
    /// `ValidationError` as AWS words it, if the parameter is absent.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            Refusal::validation(format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                lower_camel(name)
            ))
        })
    }

    /// A required IAM name: letters, digits and `+=,.@_-`, at most `max` long.
    pub(crate) fn name(&self, name: &str, max: usize) -> Result<&str, Refusal> {
        let value = self.required(name)?;
        let member = lower_camel(name);
        if value.is_empty()
            || !value
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
        {
            return Err(Refusal::validation(format!(
                "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the \
                 following: +=,.@_-"
            )));
        }
        if value.len() > max {
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length \
                 less than or equal to {max}"
            )));
        }
        Ok(value)
    }

    /// `Path`, `/` if absent.
    pub(crate) fn path(&self) -> Result<&str, Refusal> {
        let path = self.get("Path").unwrap_or("/");
        let good = path.starts_with('/')
            && path.ends_with('/')
            && path.len() <= 512
            && path.chars().all(|c| ('\u{21}'..='\u{7e}').contains(&c));
        if good {
            Ok(path)
        } else {
            Err(Refusal::validation(
                "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
                 characters and/or / characters.",
            ))
        }
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u32>, Refusal> {
        self.get(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    Refusal::new(
                        400,
                        "MalformedInput",
                        format!("{name} is not a whole number that fits: '{text}'"),
                    )
                })
            })
            .transpose()
    }

    /// The values of `NAME.member.1`, `NAME.member.2`, … or, with `suffix`, of `NAME.member.1.SUFFIX`.
    pub(crate) fn list(&self, name: &str, suffix: &str) -> Vec<&str> {
        let dot = if suffix.is_empty() { "" } else { "." };
        (1..)
            .map_while(|n| self.get(&format!("{name}.member.{n}{dot}{suffix}")))
            .collect()
    }

    /// The names of all parameters but those of every request and of a presigned one.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let every = |name: &str| ALWAYS.contains(&name) || name.starts_with("X-Amz-");
        self.0.keys().map(String::as_str).filter(move |name| !every(name))
    }

    /// Refuses every parameter that the operation does not implement, so that none is silently ignored. Members of a
    /// list go by the list's name.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        for name in self.names() {
            let list = name.split('.').next().unwrap_or(name);
            if !known.contains(&list) {
                return Err(Refusal::validation(format!(
                    "Rolecall does not implement the parameter {name} here"
                )));
            }
        }
        Ok(())
    }
}

/// AWS names a parameter in its messages with a small first letter.
fn lower_camel(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_ascii_lowercase())
        .into_iter()
        .chain(chars)
        .collect()
}
