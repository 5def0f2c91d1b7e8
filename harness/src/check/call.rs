//! `call` against its words.

use rolecall_scenario::model::Expectation;

use super::{Call, CallOutcome, Context, Judgement, Note, Record, expectation::misfit, observed::shorten};

pub(super) fn check(word: &Expectation, seen: &Call, context: &Context) -> Judgement {
    let notes = seen.record.as_ref().map(notes).unwrap_or_default();
    let judgement = match word {
        Expectation::Allowed => succeeded(seen).map_or_else(|unlike| unlike, |_| Judgement::right()),
        Expectation::Body(due) => match succeeded(seen) {
            Err(unlike) => unlike,
            Ok((body, _)) => Judgement::when(body.as_deref() == Some(due), || {
                Judgement::wrong(format!("the body is {}", quoted(body.as_deref())))
            }),
        },
        Expectation::Lists(due) => match succeeded(seen) {
            Err(unlike) => unlike,
            Ok((_, lists)) => lists_are(due, lists.as_deref()),
        },
        Expectation::Denied(code) => denied(code, seen),
        Expectation::Error(code) => error(code, seen),
        Expectation::NoCredentials => match &seen.outcome {
            CallOutcome::NoCredentials(_) => Judgement::right(),
            CallOutcome::Silence(_) => Judgement::not_yet(says(seen)),
            _ => Judgement::wrong(says(seen)),
        },
        Expectation::Caller(role) => caller(context.role_name(role), seen),
        other => misfit(other),
    };
    // The answer is right: nobody wants to read who signed it.
    if judgement.grade == super::Grade::Right {
        judgement
    } else {
        judgement.with(notes)
    }
}

type Success<'a> = (&'a Option<String>, &'a Option<Vec<String>>);

fn succeeded(seen: &Call) -> Result<Success<'_>, Judgement> {
    match &seen.outcome {
        CallOutcome::Succeeded { body, lists, .. } => Ok((body, lists)),
        CallOutcome::NoCredentials(_) | CallOutcome::Silence(_) => Err(Judgement::not_yet(says(seen))),
        // A denial may end when a policy arrives; any other error will not.
        CallOutcome::Failed { .. } if refused_by_policy(seen) => Err(Judgement::not_yet(says(seen))),
        CallOutcome::Failed { .. } => Err(Judgement::wrong(says(seen))),
    }
}

fn refused_by_policy(seen: &Call) -> bool {
    seen.record.as_ref().is_some_and(|record| record.refused_by_policy)
}

fn denied(code: &str, seen: &Call) -> Judgement {
    match &seen.outcome {
        CallOutcome::Failed { code: found, .. } if found == code && refused_by_policy(seen) => Judgement::right(),
        CallOutcome::Failed { code: found, .. } if found == code && seen.record.is_none() => {
            Judgement::wrong(format!("{found}, but the front has no record of deciding it"))
        }
        CallOutcome::NoCredentials(_) | CallOutcome::Silence(_) => Judgement::not_yet(says(seen)),
        _ => Judgement::wrong(says(seen)),
    }
}

fn error(code: &str, seen: &Call) -> Judgement {
    match &seen.outcome {
        CallOutcome::Failed { code: found, .. } if found == code => Judgement::right(),
        CallOutcome::NoCredentials(_) | CallOutcome::Silence(_) => Judgement::not_yet(says(seen)),
        _ => Judgement::wrong(says(seen)),
    }
}

fn caller(role: &str, seen: &Call) -> Judgement {
    match seen
        .record
        .as_ref()
        .map(|record| (record.role.as_deref(), record.caller.as_deref()))
    {
        Some((Some(found), _)) if found == role => Judgement::right(),
        Some((Some(found), _)) => Judgement::wrong(format!("signed by role {found}")),
        Some((None, Some(arn))) => Judgement::wrong(format!("signed by {arn}")),
        Some((None, None)) => Judgement::wrong(format!("the key that signed is nobody's: {}", says(seen))),
        None => Judgement::not_yet(says(seen)),
    }
}

fn lists_are(due: &[String], found: Option<&[String]>) -> Judgement {
    let Some(found) = found else {
        return Judgement::wrong("the answer is no list");
    };
    let (mut want, mut have) = (due.to_vec(), found.to_vec());
    want.sort();
    have.sort();
    Judgement::when(want == have, || {
        Judgement::wrong(format!("it lists [{}]", have.join(", ")))
    })
}

/// What came back, in one line.
fn says(seen: &Call) -> String {
    let service = match seen.operation.split(':').next().unwrap_or_default() {
        "s3" => "S3".to_owned(),
        other => other.to_uppercase(),
    };
    match &seen.outcome {
        CallOutcome::Succeeded {
            status,
            lists: Some(lists),
            ..
        } => {
            format!("{service} allowed it: {status}, it lists [{}]", lists.join(", "))
        }
        CallOutcome::Succeeded {
            status,
            body: Some(body),
            ..
        } => {
            format!("{service} allowed it: {status}, {}", quoted(Some(body)))
        }
        CallOutcome::Succeeded { status, .. } => format!("{service} allowed it: {status}"),
        CallOutcome::Failed { code, status, message } if message.is_empty() => {
            format!("{service} answered {status} {code}")
        }
        CallOutcome::Failed { code, status, message } => format!("{service} answered {status} {code}: {message}"),
        CallOutcome::NoCredentials(reason) => format!("the caller had no credentials: {reason}"),
        CallOutcome::Silence(reason) => format!("no answer: {reason}"),
    }
}

fn quoted(body: Option<&str>) -> String {
    match body {
        None => "nothing".to_owned(),
        Some(body) => format!("{:?}", super::observed::excerpt(body)),
    }
}

/// Who signed, and what decided.
pub(super) fn notes(record: &Record) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(arn) = &record.caller {
        let mut line = format!(
            "signed by {}",
            record.key_id.as_deref().map(shorten).unwrap_or_default()
        );
        match &record.role {
            Some(role) => line.push_str(&format!(": role {role}")),
            None => line.push_str(&format!(": {arn}")),
        }
        if let Some(session) = &record.session_name {
            line.push_str(&format!(", session {session}"));
        }
        if let (Some(issued), Some(at)) = (record.issued, record.at) {
            line.push_str(&format!(
                ", issued {:.1}s before",
                at.duration_since(issued).as_secs_f64()
            ));
        }
        notes.push(line);
    }
    notes.extend(record.why.iter().cloned());
    notes
}
