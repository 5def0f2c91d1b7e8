use std::collections::BTreeMap;

use super::{S3Call, S3Read, object::invalid_argument, xml_body::Element};
use crate::{
    answer::{Answer, Refusal, Xml, iso8601_millis},
    authorise::Ask,
    state::Bucket,
};

pub(super) const NAMESPACE: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

pub(super) fn list(call: &mut S3Read<'_>) -> Result<Answer, Refusal> {
    call.check(Ask::new("s3:ListAllMyBuckets", "arn:aws:s3:::*").shown(""))?;
    let account = call.account()?;
    let route = call.route;
    let max = match route.param("max-buckets") {
        None => usize::MAX,
        Some(text) => text
            .parse()
            .ok()
            .filter(|max| (1..=10_000).contains(max))
            .ok_or_else(|| invalid_argument("max-buckets", text))?,
    };
    let prefix = route.param("prefix").unwrap_or_default();
    let after = route.param("continuation-token").unwrap_or_default();
    let owned: Vec<(&String, &Bucket)> = call
        .state
        .buckets
        .iter()
        .filter(|(_, bucket)| bucket.owner == account)
        .filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after)
        .filter(|(_, bucket)| {
            route
                .param("bucket-region")
                .is_none_or(|region| bucket.region == region)
        })
        .collect();
    let page = &owned[..owned.len().min(max)];
    let mut xml = Xml::document();
    xml.element(&format!("ListAllMyBucketsResult {NAMESPACE}"), |xml| {
        xml.element("Owner", |xml| {
            xml.text("ID", &call.state[account].account);
        })
        .element("Buckets", |xml| {
            for (name, bucket) in page {
                xml.element("Bucket", |xml| {
                    xml.text("Name", name)
                        .text("CreationDate", &iso8601_millis(bucket.created))
                        .text("BucketRegion", &bucket.region);
                });
            }
        })
        .optional("Prefix", route.param("prefix"));
        if let (Some((last, _)), true) = (page.last(), page.len() < owned.len()) {
            xml.text("ContinuationToken", last);
        }
    });
    Ok(Answer::ok("application/xml", xml.finish()))
}

/// The answer to who wants a bucket of a name that another account has.
pub(crate) fn taken(name: &str) -> Refusal {
    Refusal::new(
        409,
        "BucketAlreadyExists",
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
         Please select a different name and try again.",
    )
    .detail("BucketName", name)
}

pub(super) fn create(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let name = call.bucket_name().to_owned();
    // What is asked for is the caller's own new bucket, also if another account has one of this name.
    call.check(Ask::new("s3:CreateBucket", format!("arn:aws:s3:::{name}")))?;
    let account = call.account()?;
    if !is_name(&name) {
        return Err(
            Refusal::new(400, "InvalidBucketName", "The specified bucket is not valid.").detail("BucketName", name),
        );
    }
    let region = match call.payload.body.as_ref() {
        [] => None,
        body => Element::parse(body, "CreateBucketConfiguration")?
            .get("LocationConstraint")
            .map(|region| region.trim().to_owned()),
    };
    let region = region.unwrap_or_else(|| call.region.to_owned());
    if let Some(bucket) = call.state.buckets.get(&name) {
        if bucket.owner != account {
            return Err(taken(&name));
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
        uploads: BTreeMap::new(),
        tags: Vec::new(),
        policy: None,
        policy_since: call.now,
    };
    call.state.buckets.insert(name.clone(), bucket);
    Ok(Answer::empty(200).header("location", format!("/{name}")))
}

pub(super) fn head(call: &mut S3Read<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_bucket("s3:ListBucket"))?;
    let region = call.bucket()?.region.clone();
    Ok(Answer::empty(200).header("x-amz-bucket-region", region))
}

pub(super) fn location(call: &mut S3Read<'_>) -> Result<Answer, Refusal> {
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
