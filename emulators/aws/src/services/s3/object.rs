use http::{
    HeaderName, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_TYPE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, RANGE},
};
use jiff::Timestamp;
use md5::{Digest, Md5};

use super::{S3Call, S3Read, tagging};
use crate::{
    answer::{Answer, Refusal},
    auth::digests,
    authorise::Ask,
    state::{Bucket, Object, Tags},
};

/// Headers of PutObject that GetObject gives back.
const KEPT: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-language",
    "content-type",
    "expires",
];

/// Headers of PutObject and of what else makes objects; what they may say is looked at before.
pub(super) const HEADERS: &[&str] = &[
    "x-amz-acl",
    "x-amz-server-side-encryption",
    "x-amz-storage-class",
    "x-amz-tagging",
];
/// Bytes of all objects and parts together. No bucket of a test needs more, and whoever may put objects must not be able
/// to take the machine's memory.
const SPACE: usize = 1 << 30;

pub(super) fn put(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let tags = tagging::header(call.request)?;
    check_put(call, &tags)?;
    let checksum = digests(call.request, call.payload)?;
    let (request, body, now) = (call.request, call.payload.body.clone(), call.now);
    let key = checked_key(call)?;
    let bucket = call.bucket()?;
    let existing = bucket.objects.get(&key).map(|object| object.etag.as_str());
    let unmet = match (request.header(IF_NONE_MATCH), request.header(IF_MATCH)) {
        (Some("*"), _) => existing.is_some(),
        (Some(_), _) => {
            return Err(Refusal::new(
                501,
                "NotImplemented",
                "If-None-Match takes '*' only when an object is put.",
            ));
        }
        (None, Some(etag)) => existing.is_none_or(|existing| !same_etag(etag, existing)),
        (None, None) => false,
    };
    if unmet {
        return Err(precondition_failed());
    }
    let etag = format!("\"{}\"", hex::encode(Md5::digest(&body)));
    let object = Object {
        body,
        etag: etag.clone(),
        modified: now,
        headers: kept(call.request),
        tags,
        parts: Vec::new(),
        checksum: checksum.clone(),
    };
    store(call, key, object)?;
    let answer = Answer::empty(200).header("etag", etag);
    Ok(match checksum {
        Some((name, value)) => answer
            .header("x-amz-checksum-type", checksum_type(&value))
            .header(&name, value),
        None => answer,
    })
}

/// Asks whether the object may be put, with these tags.
pub(super) fn check_put(call: &mut S3Call<'_>, tags: &Tags) -> Result<(), Refusal> {
    call.check(ask_put(call, tags))?;
    if tags.is_empty() {
        return Ok(());
    }
    call.check(tagging::requested(call.ask_object("s3:PutObjectTagging"), tags))
}

fn ask_put(call: &S3Call<'_>, tags: &Tags) -> Ask {
    let mut ask = tagging::requested(call.ask_object("s3:PutObject"), tags);
    for name in HEADERS.iter().filter(|name| **name != "x-amz-tagging") {
        if let Some(value) = call.request.header(*name) {
            ask = ask.context(&format!("s3:{name}"), value);
        }
    }
    ask
}

/// The key of an object that is to be made.
pub(super) fn checked_key(call: &S3Call<'_>) -> Result<String, Refusal> {
    if call.key().len() > 1024 {
        return Err(Refusal::new(400, "KeyTooLongError", "Your key is too long"));
    }
    Ok(call.key().to_owned())
}

/// Puts an object in its bucket, if there is room for it.
pub(super) fn store(call: &mut S3Call<'_>, key: String, object: Object) -> Result<(), Refusal> {
    check_space(call, object.body.len())?;
    call.bucket_mut()?.objects.insert(key, object);
    Ok(())
}

pub(super) fn check_space(call: &S3Call<'_>, bytes: usize) -> Result<(), Refusal> {
    let taken: usize = call.state.buckets.values().map(Bucket::size).sum();
    if taken.saturating_add(bytes) <= SPACE {
        return Ok(());
    }
    Err(Refusal::new(
        503,
        "SlowDown",
        format!("Rolecall keeps {SPACE} bytes of objects at most: delete some"),
    ))
}

pub(super) fn no_key(key: &str) -> Refusal {
    Refusal::new(404, "NoSuchKey", "The specified key does not exist.").detail("Key", key)
}

pub(super) fn invalid_argument(name: &str, value: &str) -> Refusal {
    Refusal::new(
        400,
        "InvalidArgument",
        format!("Provided {name} not an integer or within integer range"),
    )
    .detail("ArgumentName", name)
    .detail("ArgumentValue", value)
}

/// A checksum of checksums carries the number of parts behind a hyphen, which base64 has not.
pub(super) fn checksum_type(value: &str) -> &'static str {
    if value.contains('-') {
        "COMPOSITE"
    } else {
        "FULL_OBJECT"
    }
}

/// GetObject and HeadObject. Whoever may not list the bucket does not learn that a key is absent.
pub(super) fn get(call: &mut S3Read<'_>) -> Result<Answer, Refusal> {
    let action = match call.route.param("versionId") {
        None => "s3:GetObject",
        Some(_) => "s3:GetObjectVersion",
    };
    let mut ask = call.ask_object(action);
    let tags = call
        .state
        .buckets
        .get(call.bucket_name())
        .and_then(|bucket| bucket.objects.get(call.key()));
    for (key, value) in tags.into_iter().flat_map(|object| &object.tags) {
        ask = ask.context(&format!("s3:ExistingObjectTag/{key}"), value);
    }
    call.check(ask)?;
    let (route, anonymous) = (call.route, call.gate.who().account.is_none());
    let key = call.key().to_owned();
    if !call.bucket()?.objects.contains_key(&key) {
        call.check(call.ask_bucket("s3:ListBucket"))?;
    }
    let request = call.request;
    let object = call.bucket()?.objects.get(&key).ok_or_else(|| no_key(&key))?;
    // RFC 9110, section 13.2.2: a date counts only where there is no tag of the same direction.
    let since = |name: HeaderName| {
        request
            .header(name)
            .and_then(|date| jiff::fmt::rfc2822::parse(date).ok())
            .map(|date| date.timestamp())
    };
    let changed = match request.header(IF_MATCH) {
        Some(etag) => !same_etag(etag, &object.etag),
        None => since(IF_UNMODIFIED_SINCE).is_some_and(|date| object.modified > date),
    };
    if changed {
        return Err(precondition_failed());
    }
    let known = match request.header(IF_NONE_MATCH) {
        Some(etag) => same_etag(etag, &object.etag),
        None => since(IF_MODIFIED_SINCE).is_some_and(|date| object.modified <= date),
    };
    if known {
        return Ok(Answer::empty(304).header("etag", object.etag.clone()));
    }
    let (status, range) = match (request.header(RANGE), route.param("partNumber")) {
        (_, Some(number)) => (206, part(object, number)?),
        (Some(range), None) => (206, slice(range, object.body.len())?),
        (None, None) => (200, 0..object.body.len()),
    };
    let mut answer = Answer::empty(status)
        .header("etag", object.etag.clone())
        .header("last-modified", http_date(object.modified))
        .fixed("accept-ranges", "bytes");
    let instead = |name: &str| {
        let mut params = route.query.iter();
        let found = params.find(|(n, _)| n.strip_prefix("response-") == Some(name));
        found.map(|(_, value)| value.as_str())
    };
    if anonymous && KEPT.iter().any(|name| instead(name).is_some()) {
        return Err(Refusal::new(
            400,
            "InvalidRequest",
            "Request specific response headers cannot be used for anonymous GET requests.",
        ));
    }
    for (name, value) in object
        .headers
        .iter()
        .filter(|(name, _)| instead(name.as_str()).is_none())
    {
        answer = answer.typed(name.clone(), value.clone());
    }
    for name in KEPT.iter().chain(&["content-encoding"]) {
        if let Some(value) = instead(name) {
            answer = answer.header(name, value);
        }
    }
    if !object.tags.is_empty() {
        answer = answer.header("x-amz-tagging-count", object.tags.len().to_string());
    }
    if route.param("partNumber").is_some() && !object.parts.is_empty() {
        answer = answer.header("x-amz-mp-parts-count", object.parts.len().to_string());
    }
    let whole = range.len() == object.body.len();
    if status == 206 {
        answer = answer.header(
            "content-range",
            format!(
                "bytes {}-{}/{}",
                range.start,
                range.end.saturating_sub(1),
                object.body.len()
            ),
        );
    }
    // The checksum is that of the whole object; of a part it would be a wrong one.
    if let Some((name, value)) = &object.checksum
        && whole
        && request
            .header("x-amz-checksum-mode")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"))
    {
        answer = answer
            .header(name, value.clone())
            .header("x-amz-checksum-type", checksum_type(value));
    }
    // For HEAD the server sends the length and leaves the body out.
    answer.body = object.body.slice(range);
    Ok(answer)
}

/// Deleting what is not there succeeds.
pub(super) fn delete(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let action = match call.route.param("versionId") {
        None => "s3:DeleteObject",
        Some(_) => "s3:DeleteObjectVersion",
    };
    call.check(call.ask_object(action))?;
    let key = call.key().to_owned();
    call.bucket_mut()?.objects.remove(&key);
    Ok(Answer::empty(204))
}

/// The headers of a request that its object keeps. A value is copied, because that of a request holds all that was read with it.
pub(super) fn kept(request: &crate::request::Received) -> Vec<(HeaderName, HeaderValue)> {
    let mut kept: Vec<(HeaderName, HeaderValue)> = request
        .headers
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()) || name.as_str().starts_with("x-amz-meta-"))
        .filter_map(|(name, value)| Some((name.clone(), HeaderValue::from_str(value.to_str().ok()?).ok()?)))
        .collect();
    if !request.headers.contains_key(CONTENT_TYPE) {
        kept.push((CONTENT_TYPE, HeaderValue::from_static("binary/octet-stream")));
    }
    // `aws-chunked` is how the body came, not what the object is.
    let encodings: Vec<&str> = request
        .header("content-encoding")
        .into_iter()
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    if !encodings.is_empty()
        && let Ok(value) = HeaderValue::try_from(encodings.join(","))
    {
        kept.push((CONTENT_ENCODING, value));
    }
    kept
}

pub(super) fn same_etag(header: &str, etag: &str) -> bool {
    header
        .split(',')
        .map(str::trim)
        .any(|one| one == "*" || one.trim_matches('"') == etag.trim_matches('"'))
}

pub(super) fn precondition_failed() -> Refusal {
    Refusal::new(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

/// The bytes of a part; what came whole is its only part.
fn part(object: &Object, number: &str) -> Result<std::ops::Range<usize>, Refusal> {
    let index = number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(1))
        .ok_or_else(|| invalid_argument("partNumber", number))?;
    let whole = [object.body.len()];
    let parts = if object.parts.is_empty() {
        &whole
    } else {
        object.parts.as_slice()
    };
    let length = parts
        .get(index)
        .ok_or_else(|| Refusal::new(416, "InvalidPartNumber", "The requested partnumber is not satisfiable"))?;
    let start: usize = parts[..index].iter().sum();
    Ok(start..start + length)
}

/// One range of bytes: `bytes=0-9`, `bytes=5-`, `bytes=-3`.
pub(super) fn slice(header: &str, length: usize) -> Result<std::ops::Range<usize>, Refusal> {
    let unsatisfiable = || Refusal::new(416, "InvalidRange", "The requested range is not satisfiable");
    let (start, end) = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .ok_or_else(unsatisfiable)?;
    let number = |text: &str| text.parse::<usize>().map_err(|_| unsatisfiable());
    let range = match (start, end) {
        ("", end) => length.saturating_sub(number(end)?)..length,
        (start, "") => number(start)?..length,
        (start, end) => number(start)?..number(end)?.saturating_add(1).min(length),
    };
    if range.is_empty() {
        Err(unsatisfiable())
    } else {
        Ok(range)
    }
}

fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("bytes=0-1", Some(0..2))]
    #[case("bytes=3-", Some(3..5))]
    #[case("bytes=-2", Some(3..5))]
    #[case("bytes=2-99", Some(2..5))]
    #[case("bytes=9-", None)]
    #[case("bytes=3-2", None)]
    #[case("bytes=0-18446744073709551615", Some(0..5))]
    #[case("lines=1-2", None)]
    fn a_range_is_cut_to_the_object_or_refused(#[case] header: &str, #[case] expected: Option<std::ops::Range<usize>>) {
        assert_eq!(slice(header, 5).ok(), expected);
    }
}
