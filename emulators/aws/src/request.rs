use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, header::AsHeaderName};
use jiff::Timestamp;

use crate::journal::Door;

/// A request read whole.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    /// As it was sent: nothing decoded, nothing folded.
    pub(crate) path: String,
    /// As it was sent, without the question mark.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) from: SocketAddr,
    pub(crate) door: Door,
    /// The world's time at which it was read.
    pub(crate) at: Timestamp,
}

// === impl Received ===

impl Received {
    /// A header's first value, if it is a text.
    pub(crate) fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
