use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;

use super::{AccountRef, Document};

#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) owner: AccountRef,
    pub(crate) created: Timestamp,
    pub(crate) region: String,
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) policy: Option<Document>,
    pub(crate) policy_since: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) body: Bytes,
    /// The body's MD5 in quotes.
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    /// Headers given at PutObject that GetObject returns: content type and its like, `x-amz-meta-*`.
    pub(crate) headers: Vec<(String, String)>,
    /// The checksum header the object was sent with, returned when `x-amz-checksum-mode: ENABLED` asks for it.
    pub(crate) checksum: Option<(String, String)>,
}
