use super::{S3Call, bucket::NAMESPACE, xml_body::Element};
use crate::{
    answer::{Answer, Refusal, Xml},
    auth::digests,
};

/// Objects of one request.
const MOST: usize = 1000;

/// Each object is asked for by itself; what may not be deleted is told beside what was.
pub(super) fn delete(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let body = Element::parse(&call.payload.body, "Delete")?;
    let checksum = digests(call.request, call.payload)?;
    if checksum.is_none() && call.request.header("content-md5").is_none() {
        return Err(Refusal::new(
            400,
            "InvalidRequest",
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        ));
    }
    let quiet = body.get("Quiet").is_some_and(|text| text.trim() == "true");
    let keys: Vec<(&str, Option<&str>)> = body
        .all("Object")
        .map(|object| (object.get("Key").unwrap_or_default(), object.get("VersionId")))
        .collect();
    if keys.is_empty() || keys.len() > MOST || keys.iter().any(|(key, _)| key.is_empty()) {
        return Err(Refusal::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ));
    }
    let bucket = call.bucket_name().to_owned();
    if !call.state.buckets.contains_key(&bucket) {
        // Whether it is absent is told to those who may ask.
        call.check(call.ask_of("s3:DeleteObject", &bucket, Some(keys[0].0)))?;
        call.bucket()?;
    }
    let mut xml = Xml::new();
    for (key, version) in keys {
        let action = if version.is_some() {
            "s3:DeleteObjectVersion"
        } else {
            "s3:DeleteObject"
        };
        let refused = match version {
            None | Some("null") => call.check(call.ask_of(action, &bucket, Some(key))).err(),
            Some(_) => Some(Refusal::new(
                400,
                "NoSuchVersion",
                "The specified version does not exist.",
            )),
        };
        match refused {
            None => {
                call.bucket_mut()?.objects.remove(key);
                if !quiet {
                    xml.element("Deleted", |xml| {
                        xml.text("Key", key).optional("VersionId", version);
                    });
                }
            }
            Some(refusal) => {
                xml.element("Error", |xml| {
                    xml.text("Key", key)
                        .optional("VersionId", version)
                        .text("Code", &refusal.code)
                        .text("Message", &refusal.message);
                });
            }
        }
    }
    let mut document = Xml::document();
    document.element(&format!("DeleteResult {NAMESPACE}"), |document| {
        document.raw(&xml);
    });
    Ok(Answer::ok("application/xml", document.finish()))
}
