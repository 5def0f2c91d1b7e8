//! Words about texts: bodies, logs, the output of programs; and an operator's change.

use std::collections::BTreeMap;

use rolecall_scenario::model::Expectation;

use super::{Exec, Judgement, Refusal, expectation::misfit, observed::excerpt};

/// `body`, `contains`, `not_contains` and `json` of a text that a report calls `what`.
pub(super) fn contains(word: &Expectation, text: &str, what: &str) -> Judgement {
    match word {
        Expectation::Body(due) => Judgement::when(text == due, || {
            Judgement::wrong(format!("{what} is {:?}", excerpt(text)))
        }),
        Expectation::Contains(parts) => match parts.iter().find(|part| !text.contains(part.as_str())) {
            None => Judgement::right(),
            Some(part) => Judgement::not_yet(format!("{what} does not contain {part:?}")),
        },
        Expectation::NotContains(parts) => match parts.iter().find(|part| text.contains(part.as_str())) {
            None => Judgement::right(),
            Some(part) => Judgement::wrong(format!("{what} contains {part:?}")),
        },
        Expectation::Json(due) => match serde_json::from_str::<serde_json::Value>(text) {
            Err(error) => Judgement::wrong(format!("{what} is no JSON: {error}")),
            Ok(found) => match due.iter().find(|(key, value)| found.get(key.as_str()) != Some(value)) {
                None => Judgement::right(),
                Some((key, _)) => match found.get(key.as_str()) {
                    None => Judgement::wrong(format!("{what} has no {key}")),
                    Some(value) => Judgement::wrong(format!("{key} is {value}")),
                },
            },
        },
        other => misfit(other),
    }
}

/// Whether a status matches any pattern: `404`, or a class such as `4xx`.
pub(super) fn status(patterns: &[String], status: u16, request: &str) -> Judgement {
    let text = status.to_string();
    let matches = |pattern: &String| {
        pattern.len() == text.len()
            && pattern
                .chars()
                .zip(text.chars())
                .all(|(want, have)| want == have || want.eq_ignore_ascii_case(&'x'))
    };
    Judgement::when(patterns.iter().any(matches), || {
        let found = format!("{status} to {request}");
        let due_success = patterns.iter().any(|pattern| pattern.starts_with('2'));
        if due_success && status >= 400 {
            Judgement::not_yet(found)
        } else {
            Judgement::wrong(found)
        }
    })
}

/// Headers of an answer; names without regard to case.
pub(super) fn headers(due: &BTreeMap<String, String>, found: &[(String, String)]) -> Judgement {
    for (name, value) in due {
        match found.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)) {
            None => return Judgement::wrong(format!("the answer has no header {name}")),
            Some((_, have)) if have != value => return Judgement::wrong(format!("{name} is {have:?}")),
            Some(_) => {}
        }
    }
    Judgement::right()
}

/// A program that was run in a pod.
pub(super) fn exec(word: &Expectation, seen: &Exec) -> Judgement {
    match word {
        Expectation::Exit(due) => Judgement::when(seen.exit == Some(*due), || {
            let exit = seen
                .exit
                .map_or("no exit status".to_owned(), |exit| format!("exit status {exit}"));
            let found = format!("{exit}: {}", excerpt(&seen.stderr));
            if *due == 0 {
                Judgement::not_yet(found)
            } else {
                Judgement::wrong(found)
            }
        }),
        Expectation::StdoutContains(parts) => {
            contains(&Expectation::Contains(parts.clone()), &seen.stdout, "standard output")
        }
        Expectation::StderrContains(parts) => {
            contains(&Expectation::Contains(parts.clone()), &seen.stderr, "standard error")
        }
        other => misfit(other),
    }
}

/// An operator's change: taken, or refused with a message that names a field.
pub(super) fn operator(word: &Expectation, refusal: Option<&Refusal>) -> Judgement {
    match (word, refusal) {
        (Expectation::Applied, None) => Judgement::right(),
        (Expectation::Applied, Some(refusal)) => Judgement::wrong(format!("{}: {}", refusal.what, refusal.message)),
        (Expectation::Rejected(_), None) => Judgement::wrong("it was taken"),
        (Expectation::Rejected(field), Some(refusal)) => Judgement::when(refusal.message.contains(field), || {
            Judgement::wrong(format!("it was refused for another reason: {}", refusal.message))
        }),
        (other, _) => misfit(other),
    }
}
