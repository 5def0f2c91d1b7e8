use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use super::Tags;

/// An object that is put in parts and is none yet.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) initiated: Timestamp,
    /// The ARN of who began it.
    pub(crate) initiator: String,
    /// As those of the [`Object`](super::Object) that it becomes.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) tags: Tags,
    /// `CRC32`, … if the parts' checksums make one of the object.
    pub(crate) checksum: Option<String>,
    /// Whether that is one of the whole object's bytes, and not of the parts' checksums.
    pub(crate) full_object: bool,
    pub(crate) parts: BTreeMap<u16, Part>,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) body: Bytes,
    /// The body's MD5 in quotes.
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    pub(crate) checksum: Option<(String, String)>,
}
