//! Tags as IAM and STS take them.

use crate::{answer::Refusal, authorise::Ask, params::Params, state::Tags};

/// Tags that one thing may have.
pub(crate) const MOST: usize = 50;

/// `Tags.member.N.{Key,Value}`, verified.
///
/// # Errors
/// A key or value of another form, a key without a value, a reserved key, or keys that are alike but for their case,
/// which has the error code `duplicates`.
pub(crate) fn read(params: &Params, duplicates: &'static str) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    for n in 1.. {
        let of = |part: &str| params.get(&format!("Tags.member.{n}.{part}"));
        let (key, value) = match (of("Key"), of("Value")) {
            (None, None) => break,
            (Some(key), Some(value)) => (key, value),
            (key, _) => {
                let missing = if key.is_none() { "key" } else { "value" };
                return Err(Refusal::validation(format!(
                    "1 validation error detected: Value null at 'tags.{n}.member.{missing}' failed to satisfy \
                     constraint: Member must not be null"
                )));
            }
        };
        check(&format!("tags.{n}.member.key"), key, 1..=128)?;
        check(&format!("tags.{n}.member.value"), value, 0..=256)?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Refusal::validation(format!(
                "The tag key {key} is reserved: it starts with aws:"
            )));
        }
        if tags.iter().any(|(other, _)| other.to_lowercase() == key.to_lowercase()) {
            return Err(Refusal::new(
                400,
                duplicates,
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    if tags.len() > MOST {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than \
             or equal to {MOST}"
        )));
    }
    Ok(tags)
}

/// A key or a value: letters, digits and spaces of any script, and `_.:/=+-@`.
pub(crate) fn check(member: &str, text: &str, length: std::ops::RangeInclusive<usize>) -> Result<(), Refusal> {
    let good = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    if length.contains(&text.chars().count()) && text.chars().all(good) {
        return Ok(());
    }
    Err(Refusal::validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length between \
         {} and {}, and satisfy regular expression pattern: [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]*",
        length.start(),
        length.end()
    )))
}

/// Adds to a question which tags the request carries.
pub(crate) fn requested(mut ask: Ask, tags: &Tags) -> Ask {
    for (key, value) in tags {
        ask = ask.context(&format!("aws:RequestTag/{key}"), value);
    }
    if tags.is_empty() {
        ask
    } else {
        ask.contexts("aws:TagKeys", tags.iter().map(|(key, _)| key))
    }
}

/// Adds to a question which tags the thing asked for has.
pub(crate) fn of_resource(mut ask: Ask, tags: &Tags) -> Ask {
    for (key, value) in tags {
        ask = ask
            .context(&format!("aws:ResourceTag/{key}"), value)
            .context(&format!("iam:ResourceTag/{key}"), value);
    }
    ask
}
