//! A probe's report of the metadata service → what was seen.

use std::time::Duration;

use rolecall_probe::Report;

use super::record::{answer, keys, request, silence, stray_key, took};
use crate::{
    check::{self, Keys, Metadata},
    world::WorldError,
};

/// Everything that was answered, as one text.
pub(super) fn texts(report: &Report) -> String {
    let exchanges = match report {
        Report::Walks(walks) => walks.iter().flat_map(|walk| &walk.exchanges).collect(),
        Report::Asked(asked) => asked.iter().flat_map(|asked| &asked.exchanges).collect(),
        Report::Sdk(_) | Report::Call(_) | Report::Error(_) => Vec::new(),
    };
    let mut text = String::new();
    for exchange in exchanges {
        for (_, value) in &exchange.headers {
            text.push_str(value);
            text.push('\n');
        }
        text.push_str(&exchange.body.text);
        text.push('\n');
    }
    text
}

/// A probe's report as what was seen; the time, the identity and the subject's state are still to come.
pub(super) fn seen(report: Report) -> Result<Metadata, WorldError> {
    let blank = Metadata {
        request: String::new(),
        answer: None,
        silence: None,
        keys: None,
        stray_key: None,
        identity: None,
        document: None,
        node_secrets: Vec::new(),
        origin: Vec::new(),
        took: Duration::ZERO,
        proxy_is_stopped: false,
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    let (exchanges, last, failure) = match &report {
        Report::Walks(walks) => match walks.first() {
            Some(walk) => (&walk.exchanges, walk.last(), walk.failure.as_ref()),
            None => return Err(WorldError::new("the probe walked nowhere")),
        },
        Report::Asked(asked) => match asked.first() {
            Some(asked) => (&asked.exchanges, asked.last(), asked.failure.as_ref()),
            None => return Err(WorldError::new("the probe asked nothing")),
        },
        Report::Sdk(sdk) => {
            let keys = sdk.keys.as_ref().map(|keys| Keys {
                access_key_id: keys.access_key_id.clone(),
                secret_access_key: keys.secret_access_key.reveal().to_owned(),
                session_token: keys.session_token.as_ref().map(|token| token.reveal().to_owned()),
                expiration: sdk.expiration.as_ref().and_then(|time| time.parse().ok()),
            });
            // The SDK tells neither status nor body; that it came to an end is an answer.
            let body = sdk.failure.clone().unwrap_or_default();
            return Ok(Metadata {
                request: "the SDK's own provider".to_owned(),
                answer: Some(check::Answer {
                    status: if keys.is_some() { 200 } else { 404 },
                    headers: vec![],
                    body,
                }),
                keys,
                took: Duration::from_millis(sdk.elapsed_ms),
                ..blank
            });
        }
        Report::Call(_) | Report::Error(_) => return Err(WorldError::new("the probe answered another question")),
    };
    let answered = last.and_then(answer);
    let body = answered.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
    let found = keys(&body);
    Ok(Metadata {
        request: last.map(request).unwrap_or_else(|| "the metadata service".to_owned()),
        silence: silence(failure),
        stray_key: exchanges.iter().find_map(|exchange| stray_key(&exchange.body.text)),
        document: found.is_some().then_some(body),
        keys: found,
        answer: answered,
        took: took(exchanges),
        ..blank
    })
}
