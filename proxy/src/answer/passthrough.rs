//! Fetching from the node's own metadata service, for pods.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::{SignedDuration, Timestamp};
use rolecall_clock::Clock;

use super::{PassthroughRule, Refusal};
use crate::flags::MetadataAddr;

/// Largest answer that is passed on, in bytes.
const LARGEST: usize = 64 * 1024;

/// Time for one answer, token included: clients give up after a second.
const PATIENCE: Duration = Duration::from_millis(450);

/// Life of our own token, in seconds.
const TOKEN_TTL: i64 = 21_600;

/// Reads what the rules allow from the node's metadata service, with a token of our own and nothing of the pod's
/// request but its path.
pub struct Passthrough {
    rules: Vec<PassthroughRule>,
    metadata: MetadataAddr,
    clock: Clock,
    client: Client<HttpConnector, Empty<Bytes>>,
    token: ArcSwapOption<Token>,
}

struct Token {
    value: HeaderValue,
    until: Timestamp,
}

/// What is passed on.
pub(super) struct Passed {
    pub(super) content_type: Option<HeaderValue>,
    pub(super) body: Bytes,
}

impl Passthrough {
    /// Nothing is asked before a pod asks.
    pub fn new(rules: Vec<PassthroughRule>, metadata: MetadataAddr, clock: Clock) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(PATIENCE));
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self {
            rules,
            metadata,
            clock,
            client,
            token: ArcSwapOption::empty(),
        }
    }

    /// Whether a rule lets pods read `path`.
    pub(super) fn allows(&self, path: &str) -> bool {
        self.rules.iter().any(|rule| rule.allows(path))
    }

    /// Fetches a path that is [allowed](Self::allows).
    pub(super) async fn fetch(&self, path: &str) -> Result<Passed, Refusal> {
        match tokio::time::timeout(PATIENCE, self.get(path)).await {
            Ok(passed) => passed,
            Err(_) => Err(Refusal::Upstream("it took too long".to_owned())),
        }
    }

    async fn get(&self, path: &str) -> Result<Passed, Refusal> {
        let mut answer = self.send(path, self.token().await?).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            // Its tokens do not survive a restart of the service.
            self.token.store(None);
            answer = self.send(path, self.token().await?).await?;
        }
        if answer.status() != StatusCode::OK {
            return Err(Refusal::UpstreamStatus(answer.status().as_u16()));
        }
        let content_type = answer.headers().get(CONTENT_TYPE).cloned();
        Ok(Passed {
            content_type,
            body: read(answer).await?,
        })
    }

    async fn send(&self, path: &str, token: HeaderValue) -> Result<Response<Incoming>, Refusal> {
        let request = Request::get(format!("http://{}{path}", self.metadata))
            .header("x-aws-ec2-metadata-token", token)
            .body(Empty::new())
            .map_err(failed)?;
        self.client.request(request).await.map_err(failed)
    }

    async fn token(&self) -> Result<HeaderValue, Refusal> {
        let now = self.clock.wall();
        if let Some(token) = self.token.load().as_ref().filter(|token| now < token.until) {
            return Ok(token.value.clone());
        }
        let request = Request::builder()
            .method(Method::PUT)
            .uri(format!("http://{}/latest/api/token", self.metadata))
            .header("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_TTL)
            .body(Empty::new())
            .map_err(failed)?;
        let answer = self.client.request(request).await.map_err(failed)?;
        if answer.status() != StatusCode::OK {
            return Err(Refusal::Upstream(format!(
                "it gave no token but {}",
                answer.status().as_u16()
            )));
        }
        let mut value = HeaderValue::from_maybe_shared(read(answer).await?).map_err(failed)?;
        value.set_sensitive(true);
        // A minute early, so that a token is not over on its way.
        let until = now
            .saturating_add(SignedDuration::from_secs(TOKEN_TTL - 60))
            .unwrap_or(now);
        self.token.store(Some(Arc::new(Token {
            value: value.clone(),
            until,
        })));
        Ok(value)
    }
}

async fn read(answer: Response<Incoming>) -> Result<Bytes, Refusal> {
    Ok(Limited::new(answer.into_body(), LARGEST)
        .collect()
        .await
        .map_err(failed)?
        .to_bytes())
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Refusal {
    Refusal::Upstream(error.into().to_string())
}

impl std::fmt::Debug for Passthrough {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passthrough")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
