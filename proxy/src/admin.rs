//! What is asked by operators, on a listener of its own that pods cannot reach: health, readiness, metrics, and for
//! tests the clock.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::AUTHORIZATION, header::CONTENT_TYPE};
use http_body_util::Full;
use rolecall_clock::Clock;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::{answer::Restriction, metrics::Metrics, readiness::Readiness, vault::Vault, who::Namespaces};

/// What the admin listener answers from.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub(crate) readiness: Readiness,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) metrics: Metrics,
    pub(crate) vault: Option<Vault>,
    /// With the token that moving it wants; none unless started for tests.
    pub(crate) clock: Option<(Clock, SecretString)>,
}

impl Admin {
    pub(crate) fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/healthz") => respond(StatusCode::OK, "ok\n"),
            (&Method::GET | &Method::HEAD, "/readyz") => self.ready(),
            (&Method::GET | &Method::HEAD, "/metrics") => self.metrics(),
            (&Method::GET | &Method::HEAD, "/") => respond(StatusCode::OK, "/healthz /readyz /metrics\n"),
            (&Method::POST, "/clock/advance") => self.advance(request),
            (_, "/healthz" | "/readyz" | "/metrics" | "/") => {
                respond(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n")
            }
            _ => respond(StatusCode::NOT_FOUND, "not found\n"),
        }
    }

    fn ready(&self) -> Response<Full<Bytes>> {
        let missing = self.readiness.missing();
        if missing.is_empty() {
            respond(StatusCode::OK, "ready\n")
        } else {
            respond(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("not ready: {}\n", missing.join("; ")),
            )
        }
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        self.metrics.pods(self.readiness.pods.len());
        self.metrics.healthy(self.readiness.missing().is_empty());
        self.metrics.ineffective(match self.readiness.restriction {
            Restriction::Off => self.namespaces.with_lists(),
            Restriction::On(_) => 0,
        });
        if let Some(vault) = &self.vault {
            self.metrics.vault().tokens(vault.tokens());
        }
        let mut answer = respond(StatusCode::OK, self.metrics.text());
        let kind = http::HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer
    }

    /// `POST /clock/advance?ms=900000`, with the token. Answers how far the clock is ahead, in milliseconds.
    fn advance<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let Some((clock, token)) = &self.clock else {
            return respond(StatusCode::NOT_FOUND, "not found\n");
        };
        let given = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        if !given.is_some_and(|given| bool::from(given.ct_eq(token.expose_secret().as_bytes()))) {
            return respond(StatusCode::UNAUTHORIZED, "the run's token is needed\n");
        }
        let ms = request
            .uri()
            .query()
            .and_then(|query| query.strip_prefix("ms="))
            .and_then(|ms| ms.parse().ok());
        let Some(ms) = ms else {
            return respond(StatusCode::BAD_REQUEST, "give ?ms=<milliseconds>\n");
        };
        clock.advance(Duration::from_millis(ms));
        respond(StatusCode::OK, format!("{}\n", clock.offset().as_millis()))
    }
}

fn respond(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        CONTENT_TYPE,
        http::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    answer
}
