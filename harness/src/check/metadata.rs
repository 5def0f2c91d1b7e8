//! `credentials` and `imds` against their words.

use rolecall_scenario::model::{Bounds, Expectation};

use super::{Context, Grade, Judgement, Metadata, expectation::misfit, observed::shorten, text};

pub(super) fn check(word: &Expectation, seen: &Metadata, context: &Context) -> Judgement {
    let judgement = judge(word, seen, context);
    if judgement.grade == Grade::Right {
        judgement
    } else {
        judgement.with(seen.origin.iter().cloned())
    }
}

fn judge(word: &Expectation, seen: &Metadata, context: &Context) -> Judgement {
    match word {
        Expectation::Role(role) => role_is(context.role_name(role), seen, context),
        Expectation::Refused => refused(seen, context),
        Expectation::SameKeyAs(saved) => same_key(saved, seen, context),
        Expectation::NewKeySince(saved) => new_key(saved, seen, context),
        Expectation::ValidFor(bounds) => valid_for(bounds, seen),
        Expectation::WellFormed => well_formed(seen),
        Expectation::AnsweredIn(limit) => match answered(seen) {
            Err(silence) => silence,
            Ok(_) => Judgement::when(seen.took <= *limit, || {
                Judgement::wrong(format!("answered in {} ms", seen.took.as_millis()))
            }),
        },
        Expectation::Status(patterns) => match answered(seen) {
            Err(silence) => silence,
            Ok(answer) => text::status(patterns, answer.status, &seen.request),
        },
        Expectation::NoNodeCredentials => match answered(seen) {
            Err(silence) => silence,
            Ok(_) => match seen.node_secrets.first() {
                None => Judgement::right(),
                Some(secret) => Judgement::foreign_keys(format!("the answer holds the node's {secret}")),
            },
        },
        Expectation::Headers(headers) => match answered(seen) {
            Err(silence) => silence,
            Ok(answer) => text::headers(headers, &answer.headers),
        },
        Expectation::Body(_) | Expectation::Contains(_) | Expectation::NotContains(_) | Expectation::Json(_) => {
            match answered(seen) {
                Err(silence) => silence,
                // A refusal where a body is due may still become one.
                Ok(answer) if answer.status >= 400 && !matches!(word, Expectation::NotContains(_)) => {
                    Judgement::not_yet(seen.says())
                }
                Ok(answer) => text::contains(word, &answer.body, "the body"),
            }
        }
        other => misfit(other),
    }
}

/// The answer, or why there is none to judge.
fn answered(seen: &Metadata) -> Result<&super::Answer, Judgement> {
    seen.answer.as_ref().ok_or_else(|| Judgement::not_yet(seen.says()))
}

fn role_is(role: &str, seen: &Metadata, context: &Context) -> Judgement {
    match &seen.identity {
        Some(Ok(identity)) if identity.role.as_deref() == Some(role) => Judgement::right(),
        Some(Ok(identity)) if known(identity.role.as_deref(), context) => Judgement::wrong(seen.says()),
        Some(Ok(_)) => Judgement::foreign_keys(seen.says()),
        Some(Err(_)) => Judgement::wrong(seen.says()),
        None => match &seen.stray_key {
            Some(key) => Judgement::wrong(format!("a key {} outside a credential document", shorten(key))),
            None => Judgement::not_yet(seen.says()),
        },
    }
}

fn known(role: Option<&str>, context: &Context) -> bool {
    role.is_some_and(|role| context.given_roles.contains(role))
}

fn refused(seen: &Metadata, context: &Context) -> Judgement {
    match (&seen.keys, &seen.stray_key) {
        (Some(_), _) => {
            let role = seen
                .identity
                .as_ref()
                .and_then(|identity| identity.as_ref().ok()?.role.as_deref());
            if known(role, context) {
                Judgement::wrong(seen.says())
            } else {
                Judgement::foreign_keys(seen.says())
            }
        }
        (None, Some(key)) => Judgement::foreign_keys(format!("a key {} in the answer", shorten(key))),
        (None, None) => Judgement::when(seen.answer.is_some() || seen.proxy_is_stopped, || {
            Judgement::not_yet(format!("{}; silence is no refusal", seen.says()))
        }),
    }
}

fn same_key(saved: &str, seen: &Metadata, context: &Context) -> Judgement {
    let Some(before) = context.saved_keys(saved) else {
        return Judgement::wrong(format!("nothing was saved as {saved}"));
    };
    match &seen.keys {
        None => Judgement::not_yet(seen.says()),
        Some(keys) => Judgement::when(keys.access_key_id == before.access_key_id, || {
            Judgement::wrong(format!(
                "another key: {}, not {}",
                shorten(&keys.access_key_id),
                shorten(&before.access_key_id)
            ))
        }),
    }
}

fn new_key(saved: &str, seen: &Metadata, context: &Context) -> Judgement {
    let Some(before) = context.saved_keys(saved) else {
        return Judgement::wrong(format!("nothing was saved as {saved}"));
    };
    match &seen.keys {
        None => Judgement::not_yet(seen.says()),
        Some(keys) => Judgement::when(keys.access_key_id != before.access_key_id, || {
            Judgement::wrong(format!("still the key {}", shorten(&before.access_key_id)))
        }),
    }
}

fn valid_for(bounds: &Bounds, seen: &Metadata) -> Judgement {
    let Some(keys) = &seen.keys else {
        return Judgement::not_yet(seen.says());
    };
    let Some(end) = keys.expiration else {
        return Judgement::wrong("the document has no Expiration that can be read");
    };
    let left = end.duration_since(seen.at);
    let text = format!("good for {} s", left.as_secs());
    let short = bounds
        .at_least
        .is_some_and(|least| left.as_secs_f64() < least.as_secs_f64());
    let long = bounds
        .at_most
        .is_some_and(|most| left.as_secs_f64() > most.as_secs_f64());
    Judgement::when(!short && !long, || Judgement::wrong(text))
}

/// The seven keys of the document in AWS's spelling, `Code` Success and times ending in `Z`.
fn well_formed(seen: &Metadata) -> Judgement {
    const KEYS: [&str; 7] = [
        "Code",
        "LastUpdated",
        "Type",
        "AccessKeyId",
        "SecretAccessKey",
        "Token",
        "Expiration",
    ];
    let Some(document) = &seen.document else {
        return Judgement::not_yet(seen.says());
    };
    let Ok(serde_json::Value::Object(members)) = serde_json::from_str(document) else {
        return Judgement::wrong("the document is not a JSON object");
    };
    for key in KEYS {
        match members.get(key).map(|value| value.as_str()) {
            None => return Judgement::wrong(format!("the document has no {key}")),
            Some(None) => return Judgement::wrong(format!("{key} is not a string")),
            Some(Some("")) => return Judgement::wrong(format!("{key} is empty")),
            Some(Some(text)) if key == "Code" && text != "Success" => {
                return Judgement::wrong(format!("Code is {text}"));
            }
            Some(Some(text)) if matches!(key, "LastUpdated" | "Expiration") => {
                if !text.ends_with('Z') || text.parse::<jiff::Timestamp>().is_err() {
                    return Judgement::wrong(format!("{key} is {text}, not a time in UTC ending in Z"));
                }
            }
            Some(Some(_)) => {}
        }
    }
    match members.keys().find(|key| !KEYS.contains(&key.as_str())) {
        Some(other) => Judgement::wrong(format!("the document has a key {other} that AWS's has not")),
        None => Judgement::right(),
    }
}
