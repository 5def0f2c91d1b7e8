//! One raw request to the metadata service.

use crate::{
    Asked, Exchange, Imds, Silence, TokenUse,
    token::{TOKEN_HEADER, session_token},
    volley::{AsyncThen, volley},
    wire::{Line, Request},
};

/// Asks as often at once as the task says.
///
/// # Errors
///
/// If `at_once` is out of bounds.
pub(crate) async fn ask(task: Imds) -> Result<Vec<Asked>, String> {
    let (at_once, to, patience) = (task.at_once, task.to.clone(), task.patience);
    volley(at_once, &to, patience, task).await
}

impl AsyncThen<Asked> for Imds {
    async fn run(self, mut line: Line, silence: Option<Silence>) -> Asked {
        let mut asked = Asked::default();
        if let Some(silence) = silence {
            let fresh = self.token == TokenUse::Fresh;
            let (method, target) = match fresh {
                true => ("PUT", "/latest/api/token"),
                false => (self.method.as_str(), self.target.as_str()),
            };
            asked.exchanges.push(Exchange {
                method: method.to_owned(),
                target: target.to_owned(),
                ..Exchange::default()
            });
            asked.failure = Some(silence);
            return asked;
        }
        asked.failure = on(&self, &mut line, &mut asked).await.err().flatten();
        asked.ended_at = asked.exchanges.len().saturating_sub(1);
        asked
    }
}

async fn on(task: &Imds, line: &mut Line, asked: &mut Asked) -> Result<(), Option<Silence>> {
    let token = session_token(&task.token, line, &mut asked.exchanges).await?;
    let given = task.headers.iter().map(|(name, value)| (name.as_str(), value.reveal()));
    let mut headers: Vec<_> = given.collect();
    headers.extend(token.as_ref().map(|token| (TOKEN_HEADER, token.reveal())));
    let request = Request {
        method: &task.method,
        target: &task.target,
        headers,
        body: task.body.as_ref().map(|body| body.reveal().as_bytes()),
    };
    let (exchange, silence) = line.ask(&request).await;
    asked.exchanges.push(exchange);
    silence.map_or(Ok(()), |silence| Err(Some(silence)))
}
