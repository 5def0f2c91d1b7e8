use md5::{Digest, Md5};

use super::{
    S3Call,
    bucket::NAMESPACE,
    object::{check_put, kept, no_key, precondition_failed, same_etag, store},
    route::decode,
    tagging,
};
use crate::{
    answer::{Answer, Refusal, Xml, iso8601_millis},
    state::Object,
};

/// Headers of CopyObject alone.
pub(super) const HEADERS: &[&str] = &[
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-none-match",
    "x-amz-metadata-directive",
    "x-amz-tagging-directive",
];

/// Needs leave to read the source and to write the destination, each of its own bucket's owner and policy.
pub(super) fn copy(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let (bucket, key) = source(call.request.header("x-amz-copy-source").unwrap_or_default())?;
    let original = original(call)?;
    let request = call.request;
    let tags = match request.header("x-amz-tagging-directive") {
        Some("REPLACE") => tagging::header(request)?,
        _ => original.tags.clone(),
    };
    if tags == original.tags && !tags.is_empty() {
        call.check(call.ask_of("s3:GetObjectTagging", &bucket, Some(&key)))?;
    }
    check_put(call, &tags)?;
    let replaces = match request.header("x-amz-metadata-directive") {
        None | Some("COPY") => false,
        Some("REPLACE") => true,
        Some(other) => {
            return Err(Refusal::new(400, "InvalidArgument", "Unknown metadata directive.")
                .detail("ArgumentName", "x-amz-metadata-directive")
                .detail("ArgumentValue", other));
        }
    };
    if !replaces && bucket == call.bucket_name() && key == call.key() {
        return Err(Refusal::new(
            400,
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
             metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    // Whatever it was put in, a copy is made in one piece.
    let whole = original.parts.is_empty();
    let etag = if whole {
        original.etag
    } else {
        format!("\"{}\"", hex::encode(Md5::digest(&original.body)))
    };
    let copy = Object {
        modified: call.now,
        headers: if replaces { kept(request) } else { original.headers },
        etag,
        tags,
        parts: Vec::new(),
        checksum: original.checksum.filter(|_| whole),
        body: original.body,
    };
    let mut xml = Xml::document();
    xml.element(&format!("CopyObjectResult {NAMESPACE}"), |xml| {
        xml.text("LastModified", &iso8601_millis(copy.modified))
            .text("ETag", &copy.etag);
    });
    let key = call.key().to_owned();
    store(call, key, copy)?;
    Ok(Answer::ok("application/xml", xml.finish()))
}

/// The object that is to be copied, if it may be read and meets the conditions on it.
pub(super) fn original(call: &mut S3Call<'_>) -> Result<Object, Refusal> {
    let (bucket, key) = source(call.request.header("x-amz-copy-source").unwrap_or_default())?;
    call.check(call.ask_of("s3:GetObject", &bucket, Some(&key)))?;
    let found = call.state.buckets.get(&bucket).ok_or_else(|| {
        Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist").detail("BucketName", &bucket)
    })?;
    let Some(original) = found.objects.get(&key).cloned() else {
        // As for GetObject: whoever may not list does not learn that it is absent.
        call.check(call.ask_of("s3:ListBucket", &bucket, None))?;
        return Err(no_key(&key));
    };
    let request = call.request;
    let unmet = match (
        request.header("x-amz-copy-source-if-match"),
        request.header("x-amz-copy-source-if-none-match"),
    ) {
        (Some(etag), _) if !same_etag(etag, &original.etag) => true,
        (_, Some(etag)) => same_etag(etag, &original.etag),
        _ => false,
    };
    if unmet {
        return Err(precondition_failed());
    }
    Ok(original)
}

/// `BUCKET/KEY`, percent-encoded, with or without a slash before it.
fn source(header: &str) -> Result<(String, String), Refusal> {
    let argument = |message: &str| {
        Refusal::new(400, "InvalidArgument", message)
            .detail("ArgumentName", "x-amz-copy-source")
            .detail("ArgumentValue", header)
    };
    if header.contains('?') {
        return Err(Refusal::new(
            501,
            "NotImplemented",
            "Rolecall keeps no versions of objects to copy from.",
        ));
    }
    let text = decode(header)?;
    let text = text.strip_prefix('/').unwrap_or(&text);
    text.split_once('/')
        .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        .map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))
        .ok_or_else(|| argument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey"))
}
