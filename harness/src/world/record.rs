//! The words of probe and front → the words of `check`.

use std::time::Duration;

use rolecall_aws::{DecisionRecord, Verdict};
use rolecall_probe::{CallReport, Exchange, Outcome, Silence};

use crate::{
    check::{Answer, CallOutcome, Keys, Record},
    secrets::learn_keys,
};

/// What the front says of a request.
pub(crate) fn record(decided: &DecisionRecord) -> Record {
    let caller = decided.caller.as_ref();
    Record {
        caller: caller.map(|caller| caller.arn.clone()),
        role: caller.and_then(|caller| caller.role.clone()),
        session_name: caller.and_then(|caller| caller.session_name.clone()),
        key_id: caller.map(|caller| caller.key_id.clone()),
        issued: caller.and_then(|caller| caller.issued),
        at: Some(decided.at),
        refused_by_policy: decided.verdict == Verdict::Denied,
        why: why(decided),
    }
}

/// The front's decision in lines.
pub(crate) fn why(decided: &DecisionRecord) -> Vec<String> {
    let mut lines: Vec<String> = match &decided.decision {
        Some(decision) => decision.to_string().lines().map(str::to_owned).collect(),
        None => vec![decided.verdict.to_string()],
    };
    if let (Some(attached), Some(first)) = (&decided.attached, lines.first_mut()) {
        let ago = decided.at.duration_since(attached.at).as_secs_f64();
        first.push_str(&format!(", attached {ago:.1}s before"));
    }
    if decided.verdict == Verdict::LetThrough {
        lines.push(decided.verdict.to_string());
    }
    lines
}

/// How a call ended.
pub(crate) fn outcome(report: CallReport) -> CallOutcome {
    let status = report.status.unwrap_or_default();
    match report.outcome {
        Outcome::Ok { body, lists, .. } => CallOutcome::Succeeded {
            status,
            body: body.map(|body| body.text),
            lists,
        },
        Outcome::Error {
            code,
            message,
            status: answered,
        } => CallOutcome::Failed {
            code,
            message: message.unwrap_or_default(),
            status: answered.unwrap_or(status),
        },
        Outcome::NoCredentials { reason } => CallOutcome::NoCredentials(reason),
        Outcome::Silence(silence) => CallOutcome::Silence(silence.message),
    }
}

/// An answer of the metadata service, if one came.
pub(crate) fn answer(exchange: &Exchange) -> Option<Answer> {
    exchange.status.map(|status| Answer {
        status,
        headers: exchange.headers.clone(),
        body: exchange.body.text.clone(),
    })
}

/// What was asked, in a line.
pub(crate) fn request(exchange: &Exchange) -> String {
    format!("{} {}", exchange.method, exchange.target)
}

/// The time of all exchanges together.
pub(crate) fn took(exchanges: &[Exchange]) -> Duration {
    Duration::from_millis(exchanges.iter().map(|exchange| exchange.elapsed_ms).sum())
}

/// Why nobody answered, in a line.
pub(crate) fn silence(silence: Option<&Silence>) -> Option<String> {
    silence.map(|silence| silence.message.clone())
}

/// Keys in a body, if it is a credential document.
pub(crate) fn keys(body: &str) -> Option<Keys> {
    let members: serde_json::Value = serde_json::from_str(body).ok()?;
    let text = |name: &str| Some(members.get(name)?.as_str()?.to_owned());
    let keys = Keys {
        access_key_id: text("AccessKeyId")?,
        secret_access_key: text("SecretAccessKey")?,
        session_token: text("Token"),
        expiration: text("Expiration").and_then(|time| time.parse().ok()),
    };
    learn_keys(&keys);
    Some(keys)
}

/// The first access key id in a text: a kind of four letters and sixteen letters or digits, whole.
pub(crate) fn stray_key(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| {
            word.len() == 20
                && ["AKIA", "ASIA", "LKIA", "LSIA"]
                    .iter()
                    .any(|kind| word.starts_with(kind))
                && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        })
        .map(str::to_owned)
}

/// The keys as a probe takes them.
pub(crate) fn probe_keys(keys: &Keys) -> rolecall_probe::Keys {
    rolecall_probe::Keys {
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: keys.secret_access_key.clone().into(),
        session_token: keys.session_token.clone().map(Into::into),
    }
}
