use std::collections::BTreeMap;

use super::S3Call;
use crate::{
    answer::{Answer, Refusal, Xml, iso8601_millis},
    authorise::Ask,
    state::{AccountRef, Bucket},
};

pub(super) const NAMESPACE: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

pub(super) fn list(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    call.check(Ask::new("s3:ListAllMyBuckets", "arn:aws:s3:::*").shown(""))?;
    let account = account(call)?;
    let mut xml = Xml::document();
    xml.element(&format!("ListAllMyBucketsResult {NAMESPACE}"), |xml| {
        xml.element("Owner", |xml| {
            xml.text("ID", &call.state[account].account);
        })
        .element("Buckets", |xml| {
            let owned = call.state.buckets.iter().filter(|(_, bucket)| bucket.owner == account);
            for (name, bucket) in owned {
                xml.element("Bucket", |xml| {
                    xml.text("Name", name)
                        .text("CreationDate", &iso8601_millis(bucket.created))
                        .text("BucketRegion", &bucket.region);
                });
            }
        });
    });
    Ok(Answer::ok("application/xml", xml.finish()))
}

pub(super) fn create(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let name = call.bucket_name().to_owned();
    // What is asked for is the caller's own new bucket, also if another account has one of this name.
    call.check(Ask::new("s3:CreateBucket", &format!("arn:aws:s3:::{name}")))?;
    let account = account(call)?;
    if !is_name(&name) {
        return Err(
            Refusal::new(400, "InvalidBucketName", "The specified bucket is not valid.").detail("BucketName", name),
        );
    }
    let body = String::from_utf8_lossy(&call.payload.body);
    let region = between(&body, "<LocationConstraint>", "</LocationConstraint>")
        .unwrap_or(call.region)
        .to_owned();
    if let Some(bucket) = call.state.buckets.get(&name) {
        if bucket.owner != account {
            return Err(Refusal::new(
                409,
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
                 Please select a different name and try again.",
            )
            .detail("BucketName", name));
        }
        // The oldest region alone forgives its owner for asking twice.
        if call.region == "us-east-1" {
            return Ok(Answer::empty(200).header("location", format!("/{name}")));
        }
        return Err(Refusal::new(
            409,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        )
        .detail("BucketName", name));
    }
    let bucket = Bucket {
        owner: account,
        created: call.now,
        region,
        objects: BTreeMap::new(),
        policy: None,
        policy_since: call.now,
    };
    call.state.buckets.insert(name.clone(), bucket);
    Ok(Answer::empty(200).header("location", format!("/{name}")))
}

pub(super) fn head(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_bucket("s3:ListBucket"))?;
    let region = call.bucket()?.region.clone();
    Ok(Answer::empty(200).header("x-amz-bucket-region", region))
}

pub(super) fn location(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_bucket("s3:GetBucketLocation"))?;
    // AWS leaves the name of its oldest region out.
    let region = call.bucket()?.region.clone();
    let mut xml = Xml::document();
    xml.text(
        &format!("LocationConstraint {NAMESPACE}"),
        if region == "us-east-1" { "" } else { &region },
    );
    Ok(Answer::ok("application/xml", xml.finish()))
}

pub(super) fn delete(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_bucket("s3:DeleteBucket"))?;
    if !call.bucket()?.objects.is_empty() {
        return Err(
            Refusal::new(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
                .detail("BucketName", call.bucket_name()),
        );
    }
    let name = call.bucket_name().to_owned();
    call.state.buckets.remove(&name);
    Ok(Answer::empty(204))
}

/// The caller's account. Nobody but an anonymous caller has none, and none such gets here unless enforcement is off.
fn account(call: &S3Call<'_>) -> Result<AccountRef, Refusal> {
    let account = call.gate.who().account;
    account.ok_or_else(|| Refusal::new(403, "AccessDenied", "Access Denied"))
}

/// S3's rules for the names of buckets.
fn is_name(name: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (3..=63).contains(&name.len())
        && end(name.chars().next())
        && end(name.chars().next_back())
        && !name.contains("..")
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-')
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let rest = &text[text.find(start)? + start.len()..];
    Some(rest[..rest.find(end)?].trim())
}
