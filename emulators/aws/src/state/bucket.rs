use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use super::{AccountRef, Document, Tags, Upload};

/// What an object or a part takes besides its body, about.
const OVERHEAD: usize = 1024;

#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) owner: AccountRef,
    pub(crate) created: Timestamp,
    pub(crate) region: String,
    pub(crate) objects: BTreeMap<String, Object>,
    /// Multipart uploads under way, by their ids.
    pub(crate) uploads: BTreeMap<String, Upload>,
    pub(crate) tags: Tags,
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
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) tags: Tags,
    /// The lengths of the parts it was put in; none if it came whole.
    pub(crate) parts: Vec<usize>,
    /// The checksum header the object was sent with, returned when `x-amz-checksum-mode: ENABLED` asks for it.
    pub(crate) checksum: Option<(String, String)>,
}

// === impl Bucket ===

impl Bucket {
    /// Bytes that its objects and the parts under way take, about.
    pub(crate) fn size(&self) -> usize {
        let objects = self.objects.values().map(|object| object.body.len());
        let parts = self.uploads.values().flat_map(|upload| upload.parts.values());
        objects
            .chain(parts.map(|part| part.body.len()))
            .map(|length| length + OVERHEAD)
            .sum()
    }
}
