//! A probe's report of the metadata service → what was seen.

use std::time::Duration;

use rolecall_probe::{Exchange, Report, SdkReport, Silence};

use super::record::{answer, keys, request, silence, stray_key, took};
use crate::{
    check::{Answer, Keys, Metadata},
    secrets::{learn, learn_keys},
    world::WorldError,
};

/// One walk or request as it was seen, and everything that was answered, as one text.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The world's time, the identity and the subject's state are still to come.
    pub(crate) metadata: Metadata,
    /// Bodies and headers of all answers.
    pub(crate) answers: String,
}

/// A probe's report as what was seen, one for each of a volley.
///
/// # Errors
/// The report answers another question.
pub(crate) fn seen(report: Report) -> Result<Vec<Seen>, WorldError> {
    match report {
        Report::Walks(walks) => Ok(walks
            .iter()
            .map(|walk| of_exchanges(&walk.exchanges, walk.last(), walk.failure.as_ref()))
            .collect()),
        Report::Asked(asked) => Ok(asked
            .iter()
            .map(|asked| of_exchanges(&asked.exchanges, asked.last(), asked.failure.as_ref()))
            .collect()),
        Report::Sdk(sdk) => Ok(vec![of_sdk(sdk)]),
        Report::Call(_) | Report::Error(_) => Err(WorldError::new("the probe answered another question")),
    }
}

fn of_exchanges(exchanges: &[Exchange], last: Option<&Exchange>, failure: Option<&Silence>) -> Seen {
    let answered = last.and_then(answer);
    let body = answered.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
    let found = keys(&body);
    let mut answers = String::new();
    for exchange in exchanges {
        if exchange.method == "PUT" && exchange.status == Some(200) {
            // A session token of the metadata service.
            learn(exchange.body.text.trim());
        }
        for (_, value) in &exchange.headers {
            answers.push_str(value);
            answers.push('\n');
        }
        answers.push_str(&exchange.body.text);
        answers.push('\n');
    }
    // What the request itself contained is no leak.
    let strays = exchanges.iter().filter_map(|exchange| {
        let stray = stray_key(&exchange.body.text)?;
        (!exchange.target.contains(&stray)).then_some(stray)
    });
    let metadata = Metadata {
        request: last.map(request).unwrap_or_else(|| "the metadata service".to_owned()),
        silence: silence(failure),
        stray_key: strays.into_iter().next(),
        document: found.is_some().then_some(body),
        keys: found,
        answer: answered,
        took: took(exchanges),
        ..Metadata::blank()
    };
    Seen { metadata, answers }
}

fn of_sdk(sdk: SdkReport) -> Seen {
    let keys = sdk.keys.as_ref().map(|keys| Keys {
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: keys.secret_access_key.reveal().to_owned(),
        session_token: keys.session_token.as_ref().map(|token| token.reveal().to_owned()),
        expiration: sdk.expiration.as_ref().and_then(|time| time.parse().ok()),
    });
    let failure = sdk.failure.unwrap_or_default();
    of_provider(
        "the SDK's own provider",
        keys,
        failure,
        Duration::from_millis(sdk.elapsed_ms),
    )
}

/// What an SDK's own provider got. It tells neither status nor body; that it came to an end is an answer.
pub(crate) fn of_provider(provider: &str, keys: Option<Keys>, failure: String, took: Duration) -> Seen {
    if let Some(keys) = &keys {
        learn_keys(keys);
    }
    let metadata = Metadata {
        request: provider.to_owned(),
        answer: Some(Answer {
            status: if keys.is_some() { 200 } else { 404 },
            headers: vec![],
            body: failure,
        }),
        keys,
        took,
        ..Metadata::blank()
    };
    Seen {
        metadata,
        answers: String::new(),
    }
}
