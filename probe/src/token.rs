//! The metadata service's session token.

use crate::{
    Exchange, Masked, Silence, SilenceKind, TokenUse,
    wire::{Line, Request},
};

const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
/// Six hours, what every SDK but Go's asks for.
const TTL: &str = "21600";
/// The header that carries a token.
pub(crate) const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";
pub(crate) const AGENT: (&str, &str) = ("User-Agent", concat!("rolecall-probe/", env!("CARGO_PKG_VERSION")));

/// What `token` comes to: a token or none, or else the end of the way. The exchange that a fresh token takes is added to
/// `exchanges`.
pub(crate) async fn session_token(
    token: &TokenUse,
    line: &mut Line,
    exchanges: &mut Vec<Exchange>,
) -> Result<Option<Masked>, Option<Silence>> {
    match token {
        TokenUse::None => return Ok(None),
        TokenUse::Given(token) => return Ok(Some(token.clone())),
        TokenUse::Fresh => {}
    }
    let request = Request {
        method: "PUT",
        target: "/latest/api/token",
        headers: vec![AGENT, ("Accept", "*/*"), (TTL_HEADER, TTL)],
        body: None,
    };
    let (exchange, silence) = line.ask(&request).await;
    let status = exchange.status;
    let token = exchange.body.text.clone();
    exchanges.push(exchange);
    if let Some(silence) = silence {
        return Err(Some(silence));
    }
    match status {
        Some(200) if token.is_empty() || token.contains(|c: char| !c.is_ascii_graphic()) => {
            let message = "the session token is empty or holds a character that no header can carry";
            Err(Some(Silence::new(SilenceKind::Unreadable, message)))
        }
        Some(200) => Ok(Some(Masked::new(token))),
        // AWS, "SDKs and Tools Reference", IMDS credential provider: without a token after these, and these alone.
        Some(403..=405) => Ok(None),
        _ => Err(None),
    }
}
