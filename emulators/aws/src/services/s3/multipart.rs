use std::ops::Deref;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};

use super::{
    S3Call,
    bucket::NAMESPACE,
    object::{self, kept, precondition_failed, same_etag},
    tagging,
    xml_body::Element,
};
use crate::{
    answer::{Answer, Refusal, Xml},
    auth::Checksum,
    identity::upload_id,
    state::{Object, Part, State, Upload},
};

/// Bytes that every part but the last has at least.
const PART: usize = 5 << 20;
/// Uploads of a bucket that are not done.
const UPLOADS: usize = 1000;

pub(super) fn create(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let tags = tagging::header(call.request)?;
    object::check_put(call, &tags)?;
    let header = |name: &str| call.request.header(name);
    let algorithm = header("x-amz-checksum-algorithm").map(str::to_ascii_uppercase);
    if let Some(algorithm) = &algorithm {
        checksum_of(algorithm)?;
    }
    let full_object = match header("x-amz-checksum-type") {
        Some(kind) => kind.eq_ignore_ascii_case("FULL_OBJECT"),
        None => algorithm.as_deref() == Some("CRC64NVME"),
    };
    let upload = Upload {
        key: object::checked_key(call)?,
        initiated: call.now,
        initiator: call.gate.who().arn().to_owned(),
        headers: kept(call.request),
        tags,
        checksum: algorithm.clone(),
        full_object,
        parts: std::collections::BTreeMap::new(),
    };
    let (id, bucket_name, key) = (upload_id(), call.bucket_name().to_owned(), call.key().to_owned());
    let bucket = call.bucket_mut()?;
    if bucket.uploads.len() >= UPLOADS {
        return Err(Refusal::new(
            503,
            "SlowDown",
            format!("Rolecall keeps at most {UPLOADS} multipart uploads of a bucket: complete or abort some"),
        ));
    }
    bucket.uploads.insert(id.clone(), upload);
    let mut xml = Xml::document();
    xml.element(&format!("InitiateMultipartUploadResult {NAMESPACE}"), |xml| {
        xml.text("Bucket", &bucket_name).text("Key", &key).text("UploadId", &id);
    });
    let answer = Answer::ok("application/xml", xml.finish());
    Ok(match algorithm {
        Some(algorithm) => answer.header("x-amz-checksum-algorithm", algorithm).header(
            "x-amz-checksum-type",
            if full_object { "FULL_OBJECT" } else { "COMPOSITE" },
        ),
        None => answer,
    })
}

pub(super) fn abort(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_object("s3:AbortMultipartUpload"))?;
    let id = upload(call)?.0;
    call.bucket_mut()?.uploads.remove(&id);
    Ok(Answer::empty(204))
}

/// The parts named become one object, in the order of their numbers.
pub(super) fn complete(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_object("s3:PutObject"))?;
    let body = Element::parse(&call.payload.body, "CompleteMultipartUpload")?;
    let (id, upload) = upload(call)?;
    let parts = named_parts(&body, &upload)?;
    let mut whole = BytesMut::new();
    let mut digest = Md5::new();
    for part in &parts {
        whole.extend_from_slice(&part.body);
        let md5 = hex::decode(part.etag.trim_matches('"')).unwrap_or_default();
        digest.update(md5);
    }
    let etag = format!("\"{}-{}\"", hex::encode(digest.finalize()), parts.len());
    let whole: Bytes = whole.freeze();
    let checksum = match &upload.checksum {
        Some(algorithm) => Some(checksum(algorithm, &upload, &parts, &whole)?),
        None => None,
    };
    if let (Some((name, computed)), Some(claimed)) = (
        &checksum,
        checksum.as_ref().and_then(|(name, _)| call.request.header(name)),
    ) && claimed != computed
    {
        return Err(Refusal::new(
            400,
            "BadDigest",
            format!("The {name} you specified did not match the calculated checksum."),
        ));
    }
    let existing = call
        .bucket()?
        .objects
        .get(&upload.key)
        .map(|object| object.etag.clone());
    let unmet = match (call.request.header("if-none-match"), call.request.header("if-match")) {
        (Some(_), _) => existing.is_some(),
        (None, Some(etag)) => existing.is_none_or(|existing| !same_etag(etag, &existing)),
        (None, None) => false,
    };
    if unmet {
        return Err(precondition_failed());
    }
    let object = Object {
        body: whole,
        etag: etag.clone(),
        modified: call.now,
        headers: upload.headers,
        tags: upload.tags,
        parts: parts.iter().map(|part| part.body.len()).collect(),
        checksum: checksum.clone(),
    };
    let (bucket_name, key) = (call.bucket_name().to_owned(), call.key().to_owned());
    object::store(call, key.clone(), object)?;
    call.bucket_mut()?.uploads.remove(&id);
    let mut xml = Xml::document();
    xml.element(&format!("CompleteMultipartUploadResult {NAMESPACE}"), |xml| {
        xml.text("Location", &format!("/{bucket_name}/{key}"))
            .text("Bucket", &bucket_name)
            .text("Key", &key)
            .text("ETag", &etag);
        if let Some((name, value)) = &checksum
            && let Some(checksum) = Checksum::by_header(name)
        {
            xml.text(&format!("Checksum{}", checksum.name()), value)
                .text("ChecksumType", object::checksum_type(value));
        }
    });
    Ok(Answer::ok("application/xml", xml.finish()))
}

/// The upload that `uploadId` names, which must be one of this key.
pub(super) fn upload<S: Deref<Target = State>>(call: &S3Call<'_, S>) -> Result<(String, Upload), Refusal> {
    let id = call.route.param("uploadId").unwrap_or_default().to_owned();
    let found = call.bucket()?.uploads.get(&id);
    let found = found.filter(|upload| upload.key == call.key());
    match found {
        Some(upload) => Ok((id, upload.clone())),
        None => Err(Refusal::new(
            404,
            "NoSuchUpload",
            "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been \
             aborted or completed.",
        )
        .detail("UploadId", id)),
    }
}

fn named_parts(body: &Element, upload: &Upload) -> Result<Vec<Part>, Refusal> {
    let invalid = || {
        Refusal::new(
            400,
            "InvalidPart",
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
             specified entity tag may not match the part's entity tag.",
        )
    };
    let mut parts: Vec<Part> = Vec::new();
    let mut before = 0;
    for named in body.all("Part") {
        let number: u16 = named
            .get("PartNumber")
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(invalid)?;
        if number <= before {
            return Err(Refusal::new(
                400,
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ));
        }
        before = number;
        let part = upload.parts.get(&number).ok_or_else(invalid)?;
        if !named.get("ETag").is_some_and(|etag| same_etag(etag.trim(), &part.etag)) {
            return Err(invalid());
        }
        if let Some((name, value)) = &part.checksum
            && let Some(checksum) = Checksum::by_header(name)
            && let Some(claimed) = named.get(&format!("Checksum{}", checksum.name()))
            && claimed != value
        {
            return Err(invalid());
        }
        parts.push(part.clone());
    }
    let Some((_, all_but_last)) = parts.split_last() else {
        return Err(Refusal::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ));
    };
    if all_but_last.iter().any(|part| part.body.len() < PART) {
        return Err(Refusal::new(
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        )
        .detail("MinSizeAllowed", PART.to_string()));
    }
    Ok(parts)
}

/// A checksum of the whole, or one of the parts' own with their number behind it.
fn checksum(algorithm: &str, upload: &Upload, parts: &[Part], whole: &Bytes) -> Result<(String, String), Refusal> {
    let (header, checksum) = checksum_of(algorithm)?;
    if upload.full_object {
        return Ok((header, checksum.of(whole)));
    }
    let mut all = Vec::new();
    for part in parts {
        let of_part = match &part.checksum {
            Some((name, value)) if *name == header => value.clone(),
            _ => checksum.of(&part.body),
        };
        all.extend(STANDARD.decode(of_part).unwrap_or_default());
    }
    Ok((header, format!("{}-{}", checksum.of(&all), parts.len())))
}

/// The header of a checksum algorithm, and how it is computed.
fn checksum_of(algorithm: &str) -> Result<(String, Checksum), Refusal> {
    let header = format!("x-amz-checksum-{}", algorithm.to_ascii_lowercase());
    match Checksum::by_header(&header) {
        Some(checksum) => Ok((header, checksum)),
        None => Err(Refusal::new(
            501,
            "NotImplemented",
            format!("Rolecall does not implement the checksum {algorithm}"),
        )),
    }
}
