//! A recording reverse proxy.

mod faulty;
mod names;

use std::{fmt, io, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use rolecall_accept::{CancellationToken, Peer, Transport};
use rolecall_clock::Clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use faulty::{faulty, refusal};
use names::Names;

use crate::{
    body,
    dial::Dial,
    fault::{Fault, FaultRecord, Faults},
    handler::{path_of, token_of},
    journal::{Door, Entry, Journal},
    listen::listen,
    outgoing::Outgoing,
};

/// A recording reverse proxy in front of a real Vault. Bodies pass untouched. Clones are the same forwarder.
///
/// Its [`Fault::Sealed`] and [`Fault::Standby`] are answered here, in the words of a server in that state, and reach only
/// who comes by [`Door::World`]; [`seal`](Self::seal) seals the server itself.
#[derive(Clone)]
pub struct Forwarder(Arc<Inner>);

struct Inner {
    clock: Clock,
    upstream: Uri,
    authority: Option<String>,
    outgoing: Outgoing,
    journal: Journal,
    faults: Arc<Faults>,
    names: Names,
}

/// The forwarder cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ForwarderError {
    /// The upstream is not an address of a server.
    #[error("upstream {0:?} is not http://host:port or https://host:port")]
    Upstream(String),
    /// The server behind could not be reached.
    #[error("asking vault for {path}: {why}")]
    Unreachable {
        /// The path, without `/v1/`.
        path: String,
        /// What went wrong.
        why: String,
    },
    /// The server behind has refused.
    #[error("vault answered {status} for {path}: {errors}")]
    Refused {
        /// The path, without `/v1/`.
        path: String,
        /// The status.
        status: StatusCode,
        /// The errors of its answer.
        errors: String,
    },
}

// === impl Forwarder ===

impl Forwarder {
    /// A forwarder to `upstream`, such as `http://172.20.0.9:8200`. The clock dates the journal.
    ///
    /// # Errors
    /// The upstream is no such address.
    pub fn new(upstream: &str, clock: Clock, dial: Arc<dyn Dial>) -> Result<Self, ForwarderError> {
        Self::with_authority(upstream, None, clock, dial)
    }

    /// As [`Forwarder::new`], to an `https` server whose certificate this authority (PEM) has issued.
    ///
    /// # Errors
    /// The upstream is no such address.
    pub fn with_authority(
        upstream: &str,
        authority: Option<String>,
        clock: Clock,
        dial: Arc<dyn Dial>,
    ) -> Result<Self, ForwarderError> {
        let invalid = || ForwarderError::Upstream(upstream.to_owned());
        let uri: Uri = upstream.trim_end_matches('/').parse().map_err(|_| invalid())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() {
            return Err(invalid());
        }
        Ok(Self(Arc::new(Inner {
            clock,
            upstream: uri,
            authority,
            outgoing: Outgoing::new(dial),
            journal: Journal::default(),
            faults: Arc::new(Faults::new()),
            names: Names::default(),
        })))
    }

    /// Serves plain HTTP on `listener` until `stop` is cancelled. May run for several listeners.
    ///
    /// # Errors
    /// The listener failed for good.
    pub async fn serve(&self, listener: TcpListener, door: Door, stop: CancellationToken) -> io::Result<()> {
        self.serve_over(Transport::Plain, listener, door, stop).await
    }

    /// As [`serve`](Self::serve), as `transport` says.
    ///
    /// # Errors
    /// The listener failed for good.
    pub async fn serve_over(
        &self,
        transport: Transport,
        listener: TcpListener,
        door: Door,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let inner = self.0.clone();
        let faults = inner.faults.clone();
        listen(listener, transport, door, faults, stop, move |peer, request| {
            inner.clone().answer(door, peer, request)
        })
        .await
    }

    /// As [`Vault::journal_since`](crate::Vault::journal_since). Whose a token is, is known of tokens that were handed out
    /// or looked up through here.
    pub fn journal_since(&self, number: u64) -> Vec<Entry> {
        self.0.journal.since(number)
    }

    /// As [`Vault::journal_mark`](crate::Vault::journal_mark).
    pub fn journal_mark(&self) -> u64 {
        self.0.journal.mark()
    }

    /// As [`Vault::inject`](crate::Vault::inject).
    pub fn inject(&self, fault: Fault, times: Option<u32>) {
        self.0.faults.inject(fault, times);
    }

    /// As [`Vault::heal`](crate::Vault::heal). A server that was sealed by [`seal`](Self::seal) stays so.
    pub fn heal(&self) -> Vec<FaultRecord> {
        self.0.faults.heal()
    }

    /// Seals the server behind, with a token that may. What the forwarder itself asks is not in the journal.
    ///
    /// # Errors
    /// The server was not reached, or refused.
    pub async fn seal(&self, token: &str) -> Result<(), ForwarderError> {
        self.0.ask("sys/seal", token, &json!({})).await.map(|_| ())
    }

    /// Gives the server behind a key share, and tells whether it still is sealed.
    ///
    /// # Errors
    /// The server was not reached, or refused.
    pub async fn unseal(&self, share: &str) -> Result<bool, ForwarderError> {
        let status = self.0.ask("sys/unseal", "", &json!({ "key": share })).await?;
        Ok(status["sealed"] != json!(false))
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder")
            .field("upstream", &self.0.upstream)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    async fn answer(self: Arc<Self>, door: Door, peer: Peer, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let path = path_of(&parts.uri).to_owned();
        let token = token_of(&parts.headers);
        let mut entry = Entry {
            number: 0,
            at: self.clock.wall(),
            door,
            from: peer.remote,
            method: parts.method.to_string(),
            role: Entry::role_of(&path),
            by: token.as_deref().and_then(|token| self.names.of(token)),
            path,
            status: 0,
            error: None,
        };
        let met = if door == Door::World {
            self.faults.of_request()
        } else {
            Default::default()
        };
        if !met.delay.is_zero() {
            tokio::time::sleep(met.delay).await;
        }
        let answer = match met.fault {
            Some(fault) => faulty(&fault, &parts),
            None => match Limited::new(body, body::LARGEST).collect().await {
                Ok(body) => {
                    let body = body.to_bytes();
                    if entry.path.ends_with("/login") {
                        let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
                        entry.role = asked["role"].as_str().map(str::to_owned);
                    }
                    self.forward(&parts, body).await
                }
                Err(_) => refusal(StatusCode::PAYLOAD_TOO_LARGE, "http: request body too large"),
            },
        };
        entry.at = self.clock.wall();
        entry.status = answer.status().as_u16();
        let seen: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        entry.error = seen["errors"]
            .as_array()
            .map(|errors| errors.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "));
        self.names.learn(&entry.path, &seen);
        self.journal.add(entry);
        answer.map(Full::new)
    }

    async fn forward(&self, parts: &http::request::Parts, body: Bytes) -> Response<Bytes> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut upstream = self.upstream.clone().into_parts();
        upstream.path_and_query = path.parse().ok();
        let Ok(uri) = Uri::from_parts(upstream) else {
            return refusal(StatusCode::BAD_REQUEST, "the target is not a path");
        };
        let mut request = Request::new(body);
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = end_to_end(&parts.headers);
        let length = request.body().len();
        if let Some(host) = self
            .upstream
            .authority()
            .and_then(|host| HeaderValue::from_str(host.as_str()).ok())
        {
            request.headers_mut().insert(header::HOST, host);
        }
        if length > 0 || parts.headers.contains_key(header::CONTENT_LENGTH) {
            request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        match self.outgoing.call(request, self.authority.as_deref()).await {
            Ok(answer) => {
                let (mut head, body) = answer.into_parts();
                head.headers = end_to_end(&head.headers);
                Response::from_parts(head, body)
            }
            Err(error) => refusal(StatusCode::BAD_GATEWAY, &format!("the recording forwarder: {error}")),
        }
    }

    async fn ask(&self, path: &str, token: &str, body: &Value) -> Result<Value, ForwarderError> {
        let unreachable = |why: String| ForwarderError::Unreachable {
            path: path.to_owned(),
            why,
        };
        let mut upstream = self.upstream.clone().into_parts();
        upstream.path_and_query = format!("/v1/{path}").parse().ok();
        let uri = Uri::from_parts(upstream).map_err(|error| unreachable(error.to_string()))?;
        let body = Bytes::from(body.to_string());
        let mut request = Request::put(uri)
            .header(header::HOST, self.upstream.authority().map_or("", |host| host.as_str()))
            .header(header::CONTENT_LENGTH, body.len());
        if !token.is_empty() {
            request = request.header("x-vault-token", token);
        }
        let request = request.body(body).map_err(|error| unreachable(error.to_string()))?;
        let answer = self.outgoing.call(request, self.authority.as_deref()).await;
        let answer = answer.map_err(|error| unreachable(error.to_string()))?;
        let seen: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if answer.status().is_success() {
            return Ok(seen);
        }
        Err(ForwarderError::Refused {
            path: path.to_owned(),
            status: answer.status(),
            errors: seen["errors"].to_string(),
        })
    }
}

/// The headers that are not about one connection alone (RFC 9110, 7.6.1).
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(|name| name.trim().to_lowercase()))
        .collect();
    let hops = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        if !hops.contains(&name.as_str()) && !named.iter().any(|named| named == name.as_str()) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}
