use serde_json::json;

use super::{CAROL, DENIED, Expected, PARTNER, ROOT, Step, object, report, step};

/// What an account has is no other account's.
pub(super) fn steps() -> Vec<Step> {
    let bucket = json!({"Bucket": "{bucket}"});
    let put = json!({"Bucket": "{bucket}", "Key": "report", "Body": "theirs"});
    let copy = json!({"Bucket": "{other}", "Key": "copy", "CopySource": "{bucket}/report"});
    let taken = Expected::Refused(409, "BucketAlreadyExists");
    let own = |bucket| Expected::Says("/Buckets/0/Name", bucket);
    vec![
        step(
            "another account reads an object",
            PARTNER,
            "s3:GetObject",
            report(),
            DENIED,
        )
        .gap(),
        step("lists them", PARTNER, "s3:ListObjectsV2", bucket.clone(), DENIED).gap(),
        step("writes one", PARTNER, "s3:PutObject", put, DENIED),
        step("copies one", PARTNER, "s3:CopyObject", copy, DENIED),
        step("deletes one", PARTNER, "s3:DeleteObject", report(), DENIED),
        step("makes the bucket its own", PARTNER, "s3:CreateBucket", bucket, taken),
        step("lists its own", PARTNER, "s3:ListBuckets", json!({}), own("{other}")),
        step("as this one does", ROOT, "s3:ListBuckets", json!({}), own("{bucket}")),
        step(
            "who may do everything here reads nothing there",
            CAROL,
            "s3:GetObject",
            object("{other}", "report"),
            DENIED,
        )
        .gap(),
        step(
            "it was not touched",
            ROOT,
            "s3:GetObject",
            report(),
            Expected::Says("/Body", "mine"),
        ),
    ]
}
