//! What clients send: whether it passes unread, how it is verified, and what becomes of it when it is refused.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use crate::{
    auth::{ChunkStream, Presented, Signed, SigningKey},
    params::Params,
    request::Received,
    service::Service,
    upstream::Check,
};

/// How much of a refused body is read, and for how long.
const DRAIN: usize = 16 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Whether a body passes without being read: an object's. What else S3 is sent is small and is looked at.
pub(super) fn streams(request: &Received, presented: &Presented) -> bool {
    let looked_at = |part: &str| ["delete", "policy"].contains(&part.split('=').next().unwrap_or(part));
    let service = match presented {
        Presented::Signed(signed) => Service::of_scope(signed.scope.service(), &request.headers),
        _ => {
            let form = request.header("content-type").unwrap_or_default();
            if form.starts_with("application/x-www-form-urlencoded") {
                return false;
            }
            Service::guess(request, &Params::of(request))
        }
    };
    service == Service::S3 && !request.query.split('&').any(looked_at)
}

/// Reads what a client sends although it is refused, so that it gets to the answer: many send all before they read. One
/// that waits for leave to send is not waited for.
pub(super) async fn drain(request: &Received, body: Incoming) {
    if request.headers.contains_key(http::header::EXPECT) {
        return;
    }
    let mut body = Limited::new(body, DRAIN);
    let read = async { while let Some(Ok(_)) = body.frame().await {} };
    // Whoever has sent no end by then has had its time.
    let _ = tokio::time::timeout(DRAIN_TIME, read).await;
}

/// How the body of a request is verified whose head was.
pub(super) fn check_of(request: &Received, key: SigningKey, signed: &Signed) -> Check {
    match request.header("x-amz-content-sha256") {
        Some(hash) if hash.len() == 64 => Check::sha256(hash),
        Some(mode) => {
            let length = request.header("x-amz-decoded-content-length");
            let chunks = ChunkStream::new(mode, key, signed, length);
            chunks.map_or(Check::Nothing, |chunks| Check::Chunks(Box::new(chunks)))
        }
        None => Check::Nothing,
    }
}
