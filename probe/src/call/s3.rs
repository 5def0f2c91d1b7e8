//! Amazon S3, with the bucket in the path: the endpoint is an address, which has no subdomains.

use aws_sdk_s3::{
    Client,
    config::Builder,
    primitives::ByteStream,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use serde_json::json;

use super::{
    answer::{Came, outcome, refused},
    arguments::Arguments,
    surroundings::Signer,
    witness::Witness,
};
use crate::{Body, Outcome, Silence, silence::causes};

/// How much of an object is kept.
const OBJECT_LIMIT: usize = 1024 * 1024;

pub(super) async fn ask(name: &str, with: &Arguments, signer: &Signer, witness: &Witness) -> Result<Outcome, String> {
    let config = Builder::from(&signer.config())
        .force_path_style(true)
        .interceptor(witness.clone());
    let s3 = Client::from_conf(config.build());
    match name {
        "ListBuckets" => outcome(s3.list_buckets().send().await, |buckets| {
            let names: Vec<_> = buckets
                .buckets()
                .iter()
                .filter_map(|b| b.name().map(str::to_owned))
                .collect();
            let owner = buckets.owner().and_then(|owner| owner.id());
            Came::listing(names.clone(), json!({ "Buckets": names, "Owner": owner }))
        }),
        "CreateBucket" => {
            // us-east-1 is the one region that must not be named.
            let place = (signer.region != "us-east-1").then(|| {
                let region = BucketLocationConstraint::from(signer.region.as_str());
                CreateBucketConfiguration::builder().location_constraint(region).build()
            });
            let create = s3.create_bucket().bucket(with.required("bucket")?);
            let created = create.set_create_bucket_configuration(place).send().await;
            outcome(created, |bucket| Came::json(json!({ "Location": bucket.location() })))
        }
        "ListObjectsV2" => {
            let list = s3.list_objects_v2().bucket(with.required("bucket")?);
            let list = list
                .set_prefix(with.optional("prefix"))
                .set_delimiter(with.optional("delimiter"));
            outcome(list.send().await, |page| {
                let keys: Vec<_> = page
                    .contents()
                    .iter()
                    .filter_map(|o| o.key().map(str::to_owned))
                    .collect();
                let prefixes: Vec<_> = page.common_prefixes().iter().filter_map(|p| p.prefix()).collect();
                let truncated = page.is_truncated();
                let json = json!({ "Contents": keys, "CommonPrefixes": prefixes, "IsTruncated": truncated });
                Came::listing(keys, json)
            })
        }
        "GetObject" => get_object(&s3, with).await,
        "PutObject" => {
            let body = ByteStream::from(with.optional("body").unwrap_or_default().into_bytes());
            let put = s3
                .put_object()
                .bucket(with.required("bucket")?)
                .key(with.required("key")?);
            outcome(put.body(body).send().await, |put| {
                Came::json(json!({ "ETag": put.e_tag() }))
            })
        }
        "HeadObject" => {
            let head = s3
                .head_object()
                .bucket(with.required("bucket")?)
                .key(with.required("key")?);
            outcome(head.send().await, |head| {
                Came::json(json!({ "ContentLength": head.content_length(), "ETag": head.e_tag() }))
            })
        }
        "DeleteObject" => {
            let delete = s3
                .delete_object()
                .bucket(with.required("bucket")?)
                .key(with.required("key")?);
            outcome(delete.send().await, |_| Came::nothing())
        }
        _ => Err(format!("s3:{name} is listed, but nothing here calls it")),
    }
}

async fn get_object(s3: &Client, with: &Arguments) -> Result<Outcome, String> {
    let get = s3
        .get_object()
        .bucket(with.required("bucket")?)
        .key(with.required("key")?);
    let mut object = match get.send().await {
        Ok(object) => object,
        Err(err) => return refused(err),
    };
    let mut bytes = Vec::new();
    let mut truncated = false;
    while !truncated {
        match object.body.try_next().await {
            Ok(Some(part)) => {
                let room = OBJECT_LIMIT.saturating_sub(bytes.len());
                truncated = part.len() > room;
                bytes.extend_from_slice(&part[..part.len().min(room)]);
            }
            Ok(None) => break,
            Err(err) => {
                let mut silence = Silence::of_error(&err, false);
                silence.message = format!("the object broke off after {} bytes: {}", bytes.len(), causes(&err));
                return Ok(Outcome::Silence(silence));
            }
        }
    }
    let json = json!({
        "ContentLength": object.content_length(),
        "ContentType": object.content_type(),
        "ETag": object.e_tag(),
    });
    let came = Came {
        body: Some(Body::of(&bytes, truncated)),
        lists: None,
        json,
    };
    Ok(came.into())
}
