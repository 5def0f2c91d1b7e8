use super::phrase::{and, code, entries, or, quoted};
use crate::{
    format_duration,
    model::{Action, Expect, Expectation},
};

/// What must come of a step, one clause a word.
pub(super) fn all(expect: &Expect, action: &Action) -> Vec<String> {
    expect.all.iter().map(|word| one(&word.value, action)).collect()
}

fn one(expectation: &Expectation, action: &Action) -> String {
    let it = match action {
        Action::Log { .. } | Action::Metrics { .. } => "it",
        _ => "the body",
    };
    let each = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>();
    match expectation {
        Expectation::Role(role) => format!("the keys must be {}", whose(role)),
        Expectation::Refused => "no access key of anybody may come back".to_owned(),
        Expectation::SameKeyAs(name) => format!("the access key must be the one kept as {}", code(name)),
        Expectation::NewKeySince(name) => format!("the access key must be another than the one kept as {}", code(name)),
        Expectation::ValidFor(bounds) => {
            let mut said = Vec::new();
            said.extend(
                bounds
                    .at_least
                    .map(|least| format!("at least {}", format_duration(least))),
            );
            said.extend(bounds.at_most.map(|most| format!("at most {}", format_duration(most))));
            format!("the keys must be good for {} more", and(&said))
        }
        Expectation::WellFormed => "the document must have AWS's seven keys in AWS's spelling".to_owned(),
        Expectation::AnsweredIn(time) => {
            format!("the best of three answers must come within {}", format_duration(*time))
        }
        Expectation::Status(patterns) => format!("the status must be {}", or(patterns)),
        Expectation::Body(text) => format!("the body must be exactly {}", quoted(text)),
        Expectation::Contains(texts) => format!("{it} must contain {}", and(&each(texts))),
        Expectation::NotContains(texts) => format!("{it} must not contain {}", or(&each(texts))),
        Expectation::Json(members) => {
            let all: Vec<String> = members.iter().map(|(key, value)| format!("{key} {value}")).collect();
            format!("the JSON must have {}", and(&all))
        }
        Expectation::Headers(headers) => {
            let all: Vec<String> = headers
                .iter()
                .map(|(key, value)| code(&format!("{key}: {value}")))
                .collect();
            format!("the answer must have the header {}", and(&all))
        }
        Expectation::NoNodeCredentials => "no key, secret or token of the node may be in it".to_owned(),
        Expectation::Allowed => "it must be allowed".to_owned(),
        Expectation::Denied(code) => format!("policy must deny it with {code}"),
        Expectation::Error(code) => format!("it must fail with {code}"),
        Expectation::NoCredentials => "no credentials may be found to sign it with".to_owned(),
        Expectation::Lists(names) => format!("it must list exactly {}", and(names)),
        Expectation::Caller(caller) => format!("the key that signed must be {}", whose(caller)),
        Expectation::Exit(status) => format!("it must exit with {status}"),
        Expectation::StdoutContains(texts) => format!("its output must contain {}", and(&each(texts))),
        Expectation::StderrContains(texts) => format!("its error output must contain {}", and(&each(texts))),
        Expectation::Count(count) => format!("there must be exactly {}", entries(*count)),
        Expectation::AtLeast(count) => format!("there must be at least {}", entries(*count)),
        Expectation::AtMost(count) => format!("there must be at most {}", entries(*count)),
        Expectation::Never => "there must be no entry".to_owned(),
        Expectation::Applied => "the change must be taken".to_owned(),
        Expectation::Rejected(field) => format!("the API server must refuse it and name {}", code(field)),
    }
}

/// A role or user in the possessive.
fn whose(name: &str) -> String {
    match name {
        "node" => "the node role's".to_owned(),
        "master" => "the masters' role's".to_owned(),
        name => format!("{name}'s"),
    }
}
