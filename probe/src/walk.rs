//! A walk to the credentials, as an SDK makes it.

use crate::{
    Credentials, Document, Exchange, Masked, Silence, Walk,
    token::{AGENT, TOKEN_HEADER, session_token},
    volley::{AsyncThen, volley},
    wire::{Line, Request},
};

const LISTING: &str = "/latest/meta-data/iam/security-credentials/";

/// Walks as often at once as the task says.
///
/// # Errors
///
/// If `at_once` is out of bounds.
pub(crate) async fn walks(task: Credentials) -> Result<Vec<Walk>, String> {
    let (at_once, to, patience) = (task.at_once, task.metadata.clone(), task.patience);
    volley(at_once, &to, patience, task).await
}

impl AsyncThen<Walk> for Credentials {
    async fn run(self, mut line: Line, silence: Option<Silence>) -> Walk {
        let mut walk = Walk::default();
        if let Some(silence) = silence {
            walk.exchanges.push(unanswered(&self));
            walk.failure = Some(silence);
            return walk;
        }
        walk.failure = on(&self, &mut line, &mut walk).await.err().flatten();
        walk.ended_at = walk.exchanges.len().saturating_sub(1);
        walk
    }
}

/// `Err` ends the walk: with a silence, or with an answer that leads no further.
async fn on(task: &Credentials, line: &mut Line, walk: &mut Walk) -> Result<(), Option<Silence>> {
    let token = session_token(&task.token, line, &mut walk.exchanges).await?;
    let listing = get(LISTING, token.as_ref(), line, walk).await?;
    if listing.status == Some(200) {
        walk.role_name = listing
            .body
            .text
            .lines()
            .next()
            .map(str::to_owned)
            .filter(|name| !name.is_empty());
    }
    let name = task.ask_for.clone().or_else(|| walk.role_name.clone()).ok_or(None)?;
    let answer = get(&format!("{LISTING}{name}"), token.as_ref(), line, walk).await;
    // Half a document may hold a whole key, and a refusal may leak one: whatever came is looked at.
    walk.document = walk
        .exchanges
        .last()
        .and_then(|exchange| Document::read(&exchange.body.text));
    answer.map(drop)
}

async fn get(
    target: &str,
    token: Option<&Masked>,
    line: &mut Line,
    walk: &mut Walk,
) -> Result<Exchange, Option<Silence>> {
    let mut headers = vec![AGENT, ("Accept", "*/*")];
    headers.extend(token.map(|token| (TOKEN_HEADER, token.reveal())));
    let request = Request {
        method: "GET",
        target,
        headers,
        body: None,
    };
    let (exchange, silence) = line.ask(&request).await;
    walk.exchanges.push(exchange.clone());
    silence.map_or(Ok(exchange), |silence| Err(Some(silence)))
}

/// The request that would have been the first.
fn unanswered(task: &Credentials) -> Exchange {
    let (method, target) = match task.token {
        crate::TokenUse::Fresh => ("PUT", "/latest/api/token"),
        _ => ("GET", LISTING),
    };
    Exchange {
        method: method.to_owned(),
        target: target.to_owned(),
        ..Exchange::default()
    }
}
