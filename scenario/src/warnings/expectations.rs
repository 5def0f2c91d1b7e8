//! Expectations that contradict themselves, and those that cannot fail.

use std::time::Duration;

use super::Warning;
use crate::model::{Expectation, Step};

/// The longest session that STS gives.
const LONGEST_SESSION: Duration = Duration::from_secs(12 * 3600);

pub(super) fn check(step: &Step, warnings: &mut Vec<Warning>) {
    let Some(expect) = &step.expect else { return };
    for (index, later) in expect.all.iter().enumerate() {
        for earlier in &expect.all[..index] {
            if let Some(reason) = contradiction(earlier, later).or_else(|| contradiction(later, earlier)) {
                let text = format!("`{}` and `{}` cannot both hold", earlier.word(), later.word());
                warnings.push(Warning::new(later.span.clone(), text).help(reason));
            }
        }
        if let Some(reason) = impossible(later) {
            let text = format!("`{}` cannot hold", later.word());
            warnings.push(Warning::new(later.span.clone(), text).help(reason));
        }
        if let Some(reason) = certain(later) {
            let text = format!("`{}` cannot fail", later.word());
            warnings.push(Warning::new(later.span.clone(), text).help(reason));
        }
    }
}

/// Why two words exclude each other, if the first stands on the left here.
fn contradiction(left: &Expectation, right: &Expectation) -> Option<&'static str> {
    use Expectation as E;
    let reason = match (left, right) {
        (E::Refused, right) if wants_keys(right) => "`refused` means that no access key came back",
        (E::Status(patterns), right) if wants_keys(right) && !patterns.iter().any(|status| status.starts_with('2')) => {
            "keys come with a status of 2xx"
        }
        (E::SameKeyAs(same), E::NewKeySince(other)) if same == other => "a key is the saved one or another one",
        (E::Role(role), E::NoNodeCredentials) if role == "node" => "the node role's keys are the node's credentials",
        (E::Allowed | E::Body(_) | E::Lists(_), E::Denied(_) | E::Error(_) | E::NoCredentials)
        | (E::NoCredentials, E::Denied(_) | E::Error(_)) => "a call has one outcome",
        (E::Denied(denied), E::Error(error)) if denied != error => "a call has one outcome",
        (E::NoCredentials, E::Caller(_)) => "a call without credentials is signed by nobody",
        (E::Never, E::Count(1..) | E::AtLeast(1..)) => "`never` means that there is no entry",
        (E::Count(count), E::AtLeast(least)) if count < least => "`count` is below `at_least`",
        (E::Count(count), E::AtMost(most)) if count > most => "`count` is above `at_most`",
        (E::Contains(parts), E::NotContains(others))
            if parts
                .iter()
                .any(|part| others.iter().any(|other| part.contains(other.as_str()))) =>
        {
            "what must be in it contains what must not be"
        }
        (E::Body(body), E::Contains(parts)) if !parts.iter().all(|part| body.contains(part.as_str())) => {
            "the body that is expected does not contain this"
        }
        (E::Body(body), E::NotContains(parts)) if parts.iter().any(|part| body.contains(part.as_str())) => {
            "the body that is expected contains this"
        }
        (E::Applied, E::Rejected(_)) => "a change is taken or refused",
        _ => return None,
    };
    Some(reason)
}

fn wants_keys(expectation: &Expectation) -> bool {
    matches!(
        expectation,
        Expectation::Role(_)
            | Expectation::SameKeyAs(_)
            | Expectation::NewKeySince(_)
            | Expectation::ValidFor(_)
            | Expectation::WellFormed
    )
}

fn impossible(expectation: &Expectation) -> Option<&'static str> {
    match expectation {
        Expectation::ValidFor(bounds) if bounds.at_least.is_some_and(|least| least > LONGEST_SESSION) => {
            Some("no session lasts longer than 12h")
        }
        Expectation::ValidFor(bounds) if bounds.at_most.is_some_and(|most| most.is_zero()) => {
            Some("keys that are good for no time are no keys: expect `refused`, or a call's `error`")
        }
        Expectation::NotContains(parts) if parts.iter().any(String::is_empty) => Some("every text contains \"\""),
        _ => None,
    }
}

fn certain(expectation: &Expectation) -> Option<&'static str> {
    match expectation {
        Expectation::AtLeast(0) => Some("no entry at all is at least 0: expect `never`, or leave it out"),
        Expectation::Contains(parts) | Expectation::StdoutContains(parts) | Expectation::StderrContains(parts)
            if parts.iter().all(String::is_empty) =>
        {
            Some("every text contains \"\"")
        }
        _ => None,
    }
}
