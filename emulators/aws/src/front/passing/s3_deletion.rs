//! DeleteObjects: each key is decided on by itself, and the upstream is asked for those that may go.

use bytes::Bytes;
use http::HeaderMap;

use crate::{
    answer::{Answer, Refusal},
    authorise::Gate,
    state::State,
    upstream::{DeleteObjects, Owner, ask_s3, with_denied},
};

/// A DeleteObjects, parted into what may go and what policy denies.
pub(super) struct Deletion {
    asked: DeleteObjects,
    denied: Vec<(String, Option<String>)>,
}

// === impl Deletion ===

impl Deletion {
    /// # Errors
    /// `MalformedXML`, or something else than keys and versions is asked for.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        Ok(Self {
            asked: DeleteObjects::parse(body)?,
            denied: Vec::new(),
        })
    }

    /// Asks the policies for each object.
    pub(super) fn decide(&mut self, gate: &mut Gate, state: &State, bucket: &str, owner: Option<Owner>) {
        for (key, version) in std::mem::take(&mut self.asked.objects) {
            let action = match version {
                Some(_) => "s3:DeleteObjectVersion",
                None => "s3:DeleteObject",
            };
            match gate.check(state, ask_s3(state, action, bucket, Some(&key), owner)) {
                Ok(()) => self.asked.objects.push((key, version)),
                Err(_) => self.denied.push((key, version)),
            }
        }
    }

    /// Whether nothing may go.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.objects.is_empty()
    }

    pub(super) fn has_denied(&self) -> bool {
        !self.denied.is_empty()
    }

    /// What the upstream is asked for.
    pub(super) fn write(&self) -> String {
        self.asked.write()
    }

    /// The answer where nothing may go.
    pub(super) fn answer(&self) -> Answer {
        Answer::ok("application/xml", with_denied(None, &self.denied))
    }

    /// The upstream's answer with what was denied.
    pub(super) fn with_denied(&self, answer: &[u8]) -> Bytes {
        with_denied(std::str::from_utf8(answer).ok(), &self.denied).into()
    }
}

/// Takes away what was said of a body that is now another.
pub(super) fn forget_digests(headers: &mut HeaderMap) {
    let digests = headers
        .keys()
        .filter(|name| name.as_str().starts_with("x-amz-checksum-"))
        .cloned();
    for name in digests.collect::<Vec<_>>() {
        headers.remove(name);
    }
    for name in ["content-md5", "content-length", "x-amz-content-sha256"] {
        headers.remove(name);
    }
}
