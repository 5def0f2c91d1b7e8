//! The buckets that an S3 call names.

use super::walk::Walk;
use crate::{Spanned, tree::Node, words::NameKind};

/// Takes the names out of a call's parameters and expectations: `s3:CreateBucket` makes one, a call that expects
/// `NoSuchBucket` means one that is missing, and every other names one that exists.
pub(super) fn names(walk: &mut Walk<'_>, call: &str, step: &Node) {
    let Some(operation) = call.strip_prefix("s3:") else {
        return;
    };
    let expect = step.get("expect");
    let missing = expect.and_then(|expect| expect.get("error")).and_then(Node::text) == Some("NoSuchBucket");
    let parameters = step.get("with").map(Node::entries).unwrap_or_default();
    let named = parameters
        .iter()
        .find(|entry| entry.key.value.eq_ignore_ascii_case("bucket"));
    if let Some((bucket, name)) = named.and_then(|entry| Some((&entry.value, entry.value.text()?))) {
        match operation {
            "CreateBucket" => walk
                .names
                .define(NameKind::Bucket, Spanned::new(name.to_owned(), bucket.span.clone())),
            _ if missing => {}
            _ => walk.refer(NameKind::Bucket, name, &bucket.span),
        }
    }
    if operation == "ListBuckets" {
        let lists = expect
            .and_then(|expect| expect.get("lists"))
            .map(Node::items)
            .unwrap_or_default();
        for bucket in lists {
            if let Some(name) = bucket.text() {
                walk.refer(NameKind::Bucket, name, &bucket.span);
            }
        }
    }
}
