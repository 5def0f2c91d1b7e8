use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::tls;
use crate::dial::Dial;

/// Connections kept open for each server.
const IDLE: usize = 8;
/// The most that an answer may hold.
const LARGEST: usize = 4 << 20;
/// How long one request may take, connection and all.
const LONGEST: Duration = Duration::from_secs(30);

/// A server: its authority, and for `https` the PEM text it is checked against.
type Server = (String, Option<String>);

/// Sends requests over connections that a [`Dial`] opens, and keeps these for further ones.
pub(crate) struct Outgoing {
    dial: Arc<dyn Dial>,
    idle: Mutex<HashMap<Server, Vec<SendRequest<Full<Bytes>>>>>,
}

/// Why there was no answer, in Go's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("dial tcp {authority}: {}", said(.source))]
    Dial { authority: String, source: io::Error },
    #[error("tls: {0}")]
    Tls(String),
    #[error("{0}")]
    Broken(String),
    #[error("context deadline exceeded")]
    TooLong,
    #[error("unsupported protocol scheme {0:?}")]
    Scheme(String),
}

fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
        io::ErrorKind::HostUnreachable => "connect: no route to host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "connect: network is unreachable".to_owned(),
        io::ErrorKind::TimedOut => "i/o timeout".to_owned(),
        _ => error.to_string(),
    }
}

// === impl Outgoing ===

impl Outgoing {
    pub(crate) fn new(dial: Arc<dyn Dial>) -> Self {
        Self {
            dial,
            idle: Mutex::default(),
        }
    }

    /// Sends a request, whose URI is absolute, and reads the whole answer. `https` servers are checked against `pem`.
    ///
    /// # Errors
    /// No whole answer came.
    pub(crate) async fn call(&self, request: Request<Bytes>, pem: Option<&str>) -> Result<Response<Bytes>, CallError> {
        tokio::time::timeout(LONGEST, self.ask(request, pem))
            .await
            .unwrap_or(Err(CallError::TooLong))
    }

    async fn ask(&self, request: Request<Bytes>, pem: Option<&str>) -> Result<Response<Bytes>, CallError> {
        let uri = request.uri().clone();
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            other => return Err(CallError::Scheme(other.unwrap_or_default().to_owned())),
        };
        let authority = authority(&uri, secure);
        let key = (authority.clone(), secure.then(|| pem.unwrap_or_default().to_owned()));
        let (mut parts, body) = request.into_parts();
        // The request goes to a server, not to a proxy.
        parts.uri = uri
            .path_and_query()
            .and_then(|path| path.as_str().parse().ok())
            .unwrap_or_else(|| Uri::from_static("/"));
        loop {
            let kept = self.take(&key);
            let again = kept.is_some();
            let mut sender = match kept {
                Some(sender) => sender,
                None => self.connect(&uri, &authority, secure, pem).await?,
            };
            let request = Request::from_parts(parts.clone(), Full::new(body.clone()));
            let sent = match sender.ready().await {
                Ok(()) => sender.send_request(request).await,
                Err(error) => Err(error),
            };
            let response = match sent {
                Ok(response) => response,
                // The server may have closed a kept connection just now.
                Err(_) if again => continue,
                Err(error) => return Err(CallError::Broken(whole(&error))),
            };
            let (head, body) = response.into_parts();
            let body = Limited::new(body, LARGEST)
                .collect()
                .await
                .map_err(|error| CallError::Broken(error.to_string()))?;
            self.keep(key, sender);
            return Ok(Response::from_parts(head, body.to_bytes()));
        }
    }

    async fn connect(
        &self,
        uri: &Uri,
        authority: &str,
        secure: bool,
        pem: Option<&str>,
    ) -> Result<SendRequest<Full<Bytes>>, CallError> {
        let stream = self.dial.dial(authority).await.map_err(|source| CallError::Dial {
            authority: authority.to_owned(),
            source,
        })?;
        let _ = stream.set_nodelay(true);
        if !secure {
            return begin(stream).await;
        }
        let config =
            tls::client(tls::roots(pem.unwrap_or_default())).map_err(|error| CallError::Tls(error.to_string()))?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|error| CallError::Tls(error.to_string()))?;
        let stream = TlsConnector::from(config).connect(name, stream).await;
        begin(stream.map_err(|error| CallError::Tls(error.to_string()))?).await
    }

    fn take(&self, key: &Server) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(key)?;
        while let Some(sender) = kept.pop() {
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    fn keep(&self, key: Server, sender: SendRequest<Full<Bytes>>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.entry(key).or_default();
        if kept.len() < IDLE {
            kept.push(sender);
        }
    }
}

async fn begin<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, CallError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|error| CallError::Broken(whole(&error)))?;
    tokio::spawn(async move {
        // It ends when the server or the last sender has gone; whoever waits for an answer is told there.
        let _ = connection.await;
    });
    Ok(sender)
}

/// `host:port`, with the scheme's port if none is named.
fn authority(uri: &Uri, secure: bool) -> String {
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    format!("{}:{port}", uri.host().unwrap_or_default())
}

fn whole(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
