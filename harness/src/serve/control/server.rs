use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use rolecall_accept::{CancellationToken, Limits, Transport};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

use super::routes::{Refused, answer};
use crate::serve::services::Services;

/// Longest body that is read: many nodes, no more.
const BODY: usize = 1 << 20;
/// Time a peer may take to send it.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Steers the services of this process for whoever has the token.
#[derive(Clone, Debug)]
pub(crate) struct ControlServer {
    services: Arc<Services>,
    token: SecretString,
}

// === impl ControlServer ===

impl ControlServer {
    pub(crate) fn new(services: Arc<Services>, token: SecretString) -> Self {
        Self { services, token }
    }

    /// Answers on `listener` until `stop` is cancelled.
    ///
    /// # Errors
    /// Only if the listener itself fails for good.
    pub(crate) async fn serve(self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        rolecall_accept::serve(
            listener,
            Transport::Plain,
            Limits::default(),
            stop,
            move |_, request| {
                let server = self.clone();
                async move {
                    match server.handle(request).await {
                        Ok(body) => reply(StatusCode::OK, &body),
                        Err(refused) => reply(refused.status, &serde_json::json!({"error": refused.message})),
                    }
                }
            },
        )
        .await
    }

    async fn handle(&self, request: Request<Incoming>) -> Result<serde_json::Value, Refused> {
        // Before anything else is read of a request by whoever this is.
        if !self.is_authorised(&request) {
            return Err(Refused::new(
                StatusCode::UNAUTHORIZED,
                "send the run's token: `authorization: Bearer <token>`",
            ));
        }
        let (head, body) = request.into_parts();
        let body = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY).collect()).await;
        let body = match body {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) => {
                return Err(Refused::new(
                    StatusCode::BAD_REQUEST,
                    format!("the body cannot be read: {error}"),
                ));
            }
            Err(_) => {
                return Err(Refused::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "the body did not come in time",
                ));
            }
        };
        let query = head.uri.query().unwrap_or_default();
        answer(&self.services, &head.method, head.uri.path(), query, &body).await
    }

    fn is_authorised<B>(&self, request: &Request<B>) -> bool {
        let sent = request
            .headers()
            .get(header::AUTHORIZATION)
            .map(http::HeaderValue::as_bytes);
        let token = sent.and_then(|value| value.split_at_checked("Bearer ".len()));
        token.is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case(b"Bearer ") && token.ct_eq(self.token.expose_secret().as_bytes()).into()
        })
    }
}

fn reply(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{body:#}\n"))));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
