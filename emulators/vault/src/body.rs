//! The body of a request, with the words in which Go's JSON decoder refuses one.

use serde_json::{Map, Value};

use crate::reply::Refusal;

/// The most a body may hold, as Vault's listener has it by default.
pub(crate) const LARGEST: usize = 32 << 20;

/// The object in the body; nothing at all is an empty one.
///
/// # Errors
/// 500 for what is no JSON object, as Vault has it.
pub(crate) fn parse(body: &[u8], form: bool) -> Result<Map<String, Value>, Refusal> {
    // curl's own content type says nothing of what a person has typed.
    if form && !body.trim_ascii_start().starts_with(b"{") {
        let pairs = form_urlencoded::parse(body);
        return Ok(pairs
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect());
    }
    let trimmed = body.trim_ascii_start();
    let Some(first) = trimmed.first() else {
        return Ok(Map::new());
    };
    if !b"{[\"-0123456789tfn".contains(first) {
        let first = String::from_utf8_lossy(trimmed).chars().next().unwrap_or(' ');
        return Err(Refusal::internal(format!(
            "invalid character '{first}' looking for beginning of value"
        )));
    }
    let mut values = serde_json::Deserializer::from_slice(trimmed).into_iter::<Value>();
    let first = values.next();
    let kind = match first {
        None | Some(Ok(Value::Null)) => return Ok(Map::new()),
        Some(Ok(Value::Object(map))) => {
            let rest = trimmed.get(values.byte_offset()..).unwrap_or_default();
            return match String::from_utf8_lossy(rest).trim_start().chars().next() {
                Some(more) => Err(Refusal::internal(format!(
                    "invalid character '{more}' after top-level value"
                ))),
                None => Ok(map),
            };
        }
        Some(Ok(Value::Array(_))) => "array",
        Some(Ok(Value::String(_))) => "string",
        Some(Ok(Value::Number(_))) => "number",
        Some(Ok(Value::Bool(_))) => "bool",
        Some(Err(error)) if error.is_eof() => return Err(Refusal::internal("malformed JSON, unclosed containers")),
        Some(Err(error)) => {
            let found = offending(trimmed, &error);
            return Err(Refusal::internal(format!(
                "invalid character '{found}' {}",
                context(&error)
            )));
        }
    };
    Err(Refusal::bad(format!(
        "error parsing JSON: failed to parse JSON input: json: cannot unmarshal {kind} into Go value of type \
         map[string]interface {{}}"
    )))
}

/// The character where the decoder stopped.
fn offending(body: &[u8], error: &serde_json::Error) -> char {
    let line = body.split(|b| *b == b'\n').nth(error.line().saturating_sub(1));
    let byte = line.and_then(|line| line.get(error.column().saturating_sub(1)));
    byte.map_or(' ', |b| char::from(*b))
}

fn context(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    if text.starts_with("key must be") {
        "looking for beginning of object key string"
    } else if text.starts_with("expected `:`") {
        "after object key"
    } else if text.starts_with("expected `,` or `}`") {
        "after object key:value pair"
    } else if text.starts_with("expected `,` or `]`") {
        "after array element"
    } else if text.starts_with("trailing comma") {
        "looking for beginning of object key string"
    } else {
        "looking for beginning of value"
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("bad", "invalid character 'b' looking for beginning of value")]
    #[case("{\"a\":", "malformed JSON, unclosed containers")]
    #[case("{} rest", "invalid character 'r' after top-level value")]
    #[case("{\"a\" 1}", "invalid character '1' after object key")]
    #[case("{a:1}", "invalid character 'a' looking for beginning of object key string")]
    fn what_is_no_object_is_refused_in_gos_words(#[case] body: &str, #[case] error: &str) {
        assert_eq!(parse(body.as_bytes(), false), Err(Refusal::internal(error)));
    }

    #[rstest]
    #[case("", false, 0)]
    #[case("  \n", false, 0)]
    #[case("null", false, 0)]
    #[case("{\"a\":1}", true, 1)]
    #[case("a=1&b=2", true, 2)]
    fn an_object_or_a_form_or_nothing_is_taken(#[case] body: &str, #[case] form: bool, #[case] fields: usize) {
        assert_eq!(parse(body.as_bytes(), form).map(|map| map.len()), Ok(fields));
    }
}
