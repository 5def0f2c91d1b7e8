//! DeleteObjects: each key is decided on by itself, and the upstream is asked for those that may go.

use http::HeaderMap;

use crate::{
    authorise::Gate,
    state::State,
    upstream::{DeleteObjects, Owner, ask_s3},
};

/// Takes out of a deletion what policy denies, and gives it.
pub(super) fn take_denied(
    deletion: &mut DeleteObjects,
    gate: &mut Gate,
    state: &State,
    bucket: &str,
    owner: Option<Owner>,
) -> Vec<(String, Option<String>)> {
    let mut denied = Vec::new();
    for (key, version) in std::mem::take(&mut deletion.objects) {
        let action = match version {
            Some(_) => "s3:DeleteObjectVersion",
            None => "s3:DeleteObject",
        };
        match gate.check(state, ask_s3(state, action, bucket, Some(&key), owner)) {
            Ok(()) => deletion.objects.push((key, version)),
            Err(_) => denied.push((key, version)),
        }
    }
    denied
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
