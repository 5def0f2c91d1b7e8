use md5::{Digest, Md5};

use super::{
    S3Call, S3Read,
    bucket::NAMESPACE,
    copy,
    multipart::upload,
    object::{self, slice},
};
use crate::{
    answer::{Answer, Refusal, Xml, iso8601_millis},
    auth::{Checksum, digests},
    state::{Part, Upload},
};

/// Numbers that a part may have.
const NUMBERS: std::ops::RangeInclusive<u16> = 1..=10_000;
/// Items of a page at most.
const PAGE: usize = 1000;

pub(super) fn put(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_object("s3:PutObject"))?;
    let number = number(call)?;
    let checksum = digests(call.request, call.payload)?;
    let id = upload(call)?.0;
    let part = Part {
        etag: format!("\"{}\"", hex::encode(Md5::digest(&call.payload.body))),
        body: call.payload.body.clone(),
        modified: call.now,
        checksum,
    };
    let mut answer = Answer::empty(200).header("etag", part.etag.clone());
    if let Some((name, value)) = &part.checksum {
        answer = answer.header(name, value.clone());
    }
    store(call, &id, number, part)?;
    Ok(answer)
}

/// Needs leave to read the source besides.
pub(super) fn copy(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let original = copy::original(call)?;
    call.check(call.ask_object("s3:PutObject"))?;
    let number = number(call)?;
    let id = upload(call)?.0;
    let range = match call.request.header("x-amz-copy-source-range") {
        Some(range) => slice(range, original.body.len())?,
        None => 0..original.body.len(),
    };
    let body = original.body.slice(range);
    let part = Part {
        etag: format!("\"{}\"", hex::encode(Md5::digest(&body))),
        body,
        modified: call.now,
        checksum: None,
    };
    let mut xml = Xml::document();
    xml.element(&format!("CopyPartResult {NAMESPACE}"), |xml| {
        xml.text("LastModified", &iso8601_millis(part.modified))
            .text("ETag", &part.etag);
    });
    store(call, &id, number, part)?;
    Ok(Answer::ok("application/xml", xml.finish()))
}

pub(super) fn list(call: &mut S3Read<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_object("s3:ListMultipartUploadParts"))?;
    let (id, upload) = upload(call)?;
    let max = max(call, "max-parts")?;
    let after: u16 = match call.route.param("part-number-marker") {
        None | Some("") => 0,
        Some(text) => text
            .parse()
            .map_err(|_| object::invalid_argument("part-number-marker", text))?,
    };
    let owner = call.owner_id();
    let all: Vec<(&u16, &Part)> = upload.parts.range(after.saturating_add(1)..).collect();
    let page = &all[..all.len().min(max)];
    let last = page.last().map_or(after, |(number, _)| **number);
    let mut xml = Xml::document();
    xml.element(&format!("ListPartsResult {NAMESPACE}"), |xml| {
        xml.text("Bucket", call.bucket_name())
            .text("Key", call.key())
            .text("UploadId", &id)
            .text("PartNumberMarker", &after.to_string())
            .text("NextPartNumberMarker", &last.to_string())
            .text("MaxParts", &max.to_string())
            .text("IsTruncated", if page.len() < all.len() { "true" } else { "false" })
            .optional("ChecksumAlgorithm", upload.checksum.as_deref());
        write_people(xml, &upload, &owner);
        for (number, part) in page {
            xml.element("Part", |xml| {
                xml.text("PartNumber", &number.to_string())
                    .text("LastModified", &iso8601_millis(part.modified))
                    .text("ETag", &part.etag)
                    .text("Size", &part.body.len().to_string());
                if let Some((name, value)) = &part.checksum
                    && let Some(checksum) = Checksum::by_header(name)
                {
                    xml.text(&format!("Checksum{}", checksum.name()), value);
                }
            });
        }
    });
    Ok(Answer::ok("application/xml", xml.finish()))
}

/// The uploads of a bucket that are not done, by their keys.
pub(super) fn list_uploads(call: &mut S3Read<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_bucket("s3:ListBucketMultipartUploads"))?;
    let max = max(call, "max-uploads")?;
    let owner = call.owner_id();
    let route = call.route;
    let param = |name: &str| route.param(name).unwrap_or_default();
    if !param("delimiter").is_empty() {
        return Err(Refusal::new(
            501,
            "NotImplemented",
            "Rolecall does not group multipart uploads by a delimiter.",
        ));
    }
    let after = (param("key-marker").to_owned(), param("upload-id-marker").to_owned());
    let name = call.bucket_name().to_owned();
    let mut all: Vec<(String, String, Upload)> = call
        .bucket()?
        .uploads
        .iter()
        .map(|(id, upload)| (upload.key.clone(), id.clone(), upload.clone()))
        .filter(|(key, id, _)| key.starts_with(param("prefix")) && is_behind((key, id), &after))
        .collect();
    all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let page = &all[..all.len().min(max)];
    let mut xml = Xml::document();
    xml.element(&format!("ListMultipartUploadsResult {NAMESPACE}"), |xml| {
        xml.text("Bucket", &name)
            .text("KeyMarker", &after.0)
            .text("UploadIdMarker", &after.1)
            .text("Prefix", param("prefix"))
            .text("MaxUploads", &max.to_string());
        if let (Some((key, id, _)), true) = (page.last(), page.len() < all.len()) {
            xml.text("NextKeyMarker", key).text("NextUploadIdMarker", id);
        }
        xml.text("IsTruncated", if page.len() < all.len() { "true" } else { "false" });
        for (key, id, upload) in page {
            xml.element("Upload", |xml| {
                xml.text("Key", key).text("UploadId", id);
                write_people(xml, upload, &owner);
                xml.text("Initiated", &iso8601_millis(upload.initiated));
            });
        }
    });
    Ok(Answer::ok("application/xml", xml.finish()))
}

/// Without an id the marker is a key whose uploads are all on the page before.
fn is_behind((key, id): (&str, &str), (key_marker, id_marker): &(String, String)) -> bool {
    key > key_marker.as_str() || key == key_marker.as_str() && !id_marker.is_empty() && id > id_marker.as_str()
}

fn write_people(xml: &mut Xml, upload: &Upload, owner: &str) {
    xml.element("Initiator", |xml| {
        xml.text("ID", &upload.initiator)
            .text("DisplayName", upload.initiator.rsplit('/').next().unwrap_or_default());
    })
    .element("Owner", |xml| {
        xml.text("ID", owner);
    })
    .text("StorageClass", "STANDARD");
}

fn store(call: &mut S3Call<'_>, id: &str, number: u16, part: Part) -> Result<(), Refusal> {
    object::check_space(call, part.body.len())?;
    if let Some(upload) = call.bucket_mut()?.uploads.get_mut(id) {
        upload.parts.insert(number, part);
    }
    Ok(())
}

fn number(call: &S3Call<'_>) -> Result<u16, Refusal> {
    let text = call.route.param("partNumber").unwrap_or_default();
    text.parse()
        .ok()
        .filter(|number| NUMBERS.contains(number))
        .ok_or_else(|| {
            Refusal::new(
                400,
                "InvalidArgument",
                "Part number must be an integer between 1 and 10000, inclusive",
            )
            .detail("ArgumentName", "partNumber")
            .detail("ArgumentValue", text)
        })
}

fn max(call: &S3Read<'_>, name: &str) -> Result<usize, Refusal> {
    match call.route.param(name) {
        None => Ok(PAGE),
        Some(text) => text
            .parse::<usize>()
            .map(|max| max.min(PAGE))
            .map_err(|_| object::invalid_argument(name, text)),
    }
}
