//! HTTP/1.1 by hand. Client libraries parse a target before they send it and refuse or rewrite what a proxy must be
//! tested with (`/latest//meta-data/%69am/./x;y`), so a request is written here byte for byte, and its answer read by a
//! tolerant reader that keeps what came even if it was cut short.

mod reader;

use std::time::Duration;

use rolecall_clock::{monotonic, since};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};

use crate::{Body, Exchange, Patience, Silence, SilenceKind};
use reader::{Arrived, Reader};

/// How much of a raw answer is kept.
pub(crate) const RAW_LIMIT: usize = 64 * 1024;

/// A request to write.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    /// Written in this order after `Host`, which is left out if it is among them.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: Option<&'a [u8]>,
}

/// A line to one server: at most one connection, used again as long as the server keeps it open.
pub(crate) struct Line {
    to: String,
    patience: Patience,
    limit: usize,
    stream: Option<TcpStream>,
    /// The open connection has carried a request before.
    used: bool,
}

// === impl Line ===

impl Line {
    /// A line to `to` (address and port); nothing is connected yet. `limit` bounds the body that is kept, in bytes.
    pub(crate) fn new(to: &str, patience: Patience, limit: usize) -> Self {
        Self {
            to: to.to_owned(),
            patience,
            limit,
            stream: None,
            used: false,
        }
    }

    /// Connects, if it is not connected.
    pub(crate) async fn open(&mut self) -> Result<(), Silence> {
        if self.stream.is_none() {
            self.used = false;
            self.stream = Some(connect(&self.to, self.patience.connect()).await?);
        }
        Ok(())
    }

    /// Writes `request` and reads its answer. What came is in the exchange, even if a silence cut it short.
    pub(crate) async fn ask(&mut self, request: &Request<'_>) -> (Exchange, Option<Silence>) {
        let start = monotonic();
        let bytes = self.written(request);
        let mut arrived = Arrived::default();
        let mut silence = self.once(request, &bytes, &mut arrived).await;
        // The server may have closed a kept connection while the request was on its way. That is no answer to this
        // request, so it is sent once more on a new one, as every client does.
        if matches!(silence, Some((_, true))) && arrived.is_nothing() {
            arrived = Arrived::default();
            silence = self.once(request, &bytes, &mut arrived).await;
        }
        let exchange = Exchange {
            method: request.method.to_owned(),
            target: request.target.to_owned(),
            status: arrived.status,
            headers: arrived.headers,
            body: Body::of(&arrived.body, arrived.truncated),
            elapsed_ms: u64::try_from(since(start).as_millis()).unwrap_or(u64::MAX),
        };
        (exchange, silence.map(|(silence, _)| silence))
    }

    /// One attempt; a silence is told with whether a kept connection may be to blame.
    async fn once(&mut self, request: &Request<'_>, bytes: &[u8], arrived: &mut Arrived) -> Option<(Silence, bool)> {
        let kept = self.used && self.stream.is_some();
        if let Err(silence) = self.open().await {
            return Some((silence, false));
        }
        let mut stream = self.stream.take()?;
        let whole = self.patience.whole();
        let asked = timeout(
            whole,
            exchange(&mut stream, request, bytes, arrived, self.limit, &self.to),
        )
        .await;
        match asked {
            Ok(Ok(reusable)) => {
                if reusable {
                    self.stream = Some(stream);
                    self.used = true;
                }
                None
            }
            Ok(Err(silence)) => {
                let stale = matches!(silence.kind, SilenceKind::Closed | SilenceKind::Reset);
                Some((silence, kept && stale))
            }
            Err(_) => {
                let message = format!("no full answer from {} within {} ms", self.to, whole.as_millis());
                Some((Silence::new(SilenceKind::TimedOut, message), false))
            }
        }
    }

    fn written(&self, request: &Request<'_>) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
        let has = |name: &str| {
            request
                .headers
                .iter()
                .any(|(given, _)| given.eq_ignore_ascii_case(name))
        };
        let mut header = |name: &str, value: &str| {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        };
        if !has("host") {
            // A client leaves the scheme's own port out.
            header("Host", self.to.strip_suffix(":80").unwrap_or(&self.to));
        }
        for (name, value) in &request.headers {
            header(name, value);
        }
        if !has("content-length") && !has("transfer-encoding") {
            match request.body {
                Some(body) => header("Content-Length", &body.len().to_string()),
                None if matches!(request.method, "PUT" | "POST" | "PATCH") => header("Content-Length", "0"),
                None => {}
            }
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(request.body.unwrap_or_default());
        bytes
    }
}

async fn connect(to: &str, patience: Duration) -> Result<TcpStream, Silence> {
    match timeout(patience, TcpStream::connect(to)).await {
        Ok(Ok(stream)) => {
            // Whether the last segment is held back makes no difference to what is proven.
            let _ = stream.set_nodelay(true);
            Ok(stream)
        }
        Ok(Err(err)) => Err(Silence::of_io(&err, &format!("connecting to {to}"))),
        Err(_) => {
            let message = format!("no connection to {to} within {} ms", patience.as_millis());
            Err(Silence::new(SilenceKind::TimedOut, message))
        }
    }
}

/// Returns whether the connection can carry another request.
async fn exchange(
    stream: &mut TcpStream,
    request: &Request<'_>,
    bytes: &[u8],
    arrived: &mut Arrived,
    limit: usize,
    to: &str,
) -> Result<bool, Silence> {
    // A server may refuse and close before it has read the whole request: what it said is read all the same.
    let written = stream.write_all(bytes).await;
    let read = Reader::new(stream, limit, to).answer(request.method, arrived).await;
    match (written, read) {
        (Ok(()), read) => read,
        (Err(_), Ok(_)) => Ok(false),
        (Err(err), Err(_)) => Err(Silence::of_io(&err, &format!("writing to {to}"))),
    }
}
