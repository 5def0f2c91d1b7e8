use std::ops::Deref;

use iam_policy::PolicyKind;

use super::{S3Call, S3Read};
use crate::{
    answer::{Answer, Refusal},
    state::{Document, State},
};

/// Even whom the policy allows it must be of the owner's account (S3 API reference, PutBucketPolicy).
fn check<S: Deref<Target = State>>(call: &mut S3Call<'_, S>, action: &str) -> Result<(), Refusal> {
    call.check(call.ask_bucket(action))?;
    match (call.owner(), call.gate.who().account) {
        (Some(owner), Some(account)) if owner != account => Err(Refusal::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )),
        _ => Ok(()),
    }
}

pub(super) fn put(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    check(call, "s3:PutBucketPolicy")?;
    let (now, payload) = (call.now, call.payload);
    let bucket = call.bucket_mut()?;
    let document = Document::parse(PolicyKind::Resource, &String::from_utf8_lossy(&payload.body))
        // S3 has its own name for it.
        .map_err(|refusal| Refusal::new(400, "MalformedPolicy", refusal.message))?;
    bucket.policy = Some(document);
    bucket.policy_since = now;
    Ok(Answer::empty(204))
}

pub(super) fn get(call: &mut S3Read<'_>) -> Result<Answer, Refusal> {
    check(call, "s3:GetBucketPolicy")?;
    match &call.bucket()?.policy {
        Some(document) => Ok(Answer::ok("application/json", document.text.to_string())),
        None => Err(
            Refusal::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist")
                .detail("BucketName", call.bucket_name()),
        ),
    }
}

pub(super) fn delete(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    check(call, "s3:DeleteBucketPolicy")?;
    call.bucket_mut()?.policy = None;
    Ok(Answer::empty(204))
}
