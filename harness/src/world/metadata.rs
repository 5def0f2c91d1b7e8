//! What is asked of the metadata service → a probe's task. The same for every world.

use std::net::SocketAddr;

use rolecall_probe::{Imds, TokenUse as ProbeToken};
use rolecall_scenario::model::{Credentials, ImdsRequest, TokenUse};

use crate::{
    check::{Context, Saved},
    world::WorldError,
};

/// A walk as an SDK does it.
///
/// # Errors
/// It names a token that was not saved.
pub(crate) fn walk(
    walk: &Credentials,
    volley: usize,
    context: &Context,
) -> Result<rolecall_probe::Credentials, WorldError> {
    Ok(rolecall_probe::Credentials {
        ask_for: walk.ask_for.clone(),
        token: token(&walk.token, context)?,
        at_once: volley,
        ..Default::default()
    })
}

/// One raw request to `to`; `address_of` tells the address of a pod that a header stands for (`of:<pod>`).
///
/// # Errors
/// It names a token that was not saved, or a pod that is not there.
pub(crate) fn raw(
    raw: &ImdsRequest,
    to: SocketAddr,
    volley: usize,
    context: &Context,
    address_of: impl Fn(&str) -> Result<String, WorldError>,
) -> Result<Imds, WorldError> {
    let mut headers = Vec::with_capacity(raw.headers.len());
    for (name, value) in &raw.headers {
        let value = match value.strip_prefix("of:") {
            Some(pod) => address_of(pod)?,
            None => value.clone(),
        };
        headers.push((name.clone(), value.into()));
    }
    Ok(Imds {
        method: raw.method.clone(),
        target: raw.target.clone(),
        headers,
        body: raw.body.clone().map(Into::into),
        token: token(&raw.token, context)?,
        to: to.to_string(),
        at_once: volley,
        patience: Default::default(),
    })
}

/// What a raw request contains, by which an answer that repeats it is no leak.
pub(crate) fn sent(request: &Imds) -> String {
    let headers = request.headers.iter().map(|(_, value)| value.reveal());
    headers.chain([request.target.as_str()]).collect::<Vec<_>>().join("\n")
}

fn token(word: &TokenUse, context: &Context) -> Result<ProbeToken, WorldError> {
    Ok(match word {
        TokenUse::Fresh => ProbeToken::Fresh,
        TokenUse::None => ProbeToken::None,
        TokenUse::Saved(name) => match context.saved.get(name) {
            Some(Saved::Token(token)) => ProbeToken::Given(token.clone().into()),
            _ => return Err(WorldError::new(format!("no token was saved as {name}"))),
        },
    })
}
