use serde_json::json;

use super::{ALICE, DENIED, Expected, READ, ROOT, Step, document, done, report, step};

/// What policies of a user allow and deny.
pub(super) fn steps() -> Vec<Step> {
    let read = json!({"UserName": "alice", "PolicyArn": READ});
    let deny = json!({"UserName": "alice", "PolicyName": "deny"});
    let mut denying = deny.clone();
    denying["PolicyDocument"] = document("Deny", "s3:GetObject").into();
    let mine = Expected::Says("/Body", "mine");
    let put = json!({"Bucket": "{bucket}", "Key": "report", "Body": "hers"});
    let alice = Expected::Says("/Arn", "arn:aws:iam::{account}:user/alice");
    vec![
        step(
            "everybody may ask who they are",
            ALICE,
            "sts:GetCallerIdentity",
            json!({}),
            alice,
        ),
        step(
            "alice without a policy lists buckets",
            ALICE,
            "s3:ListBuckets",
            json!({}),
            DENIED,
        )
        .gap(),
        step("reads an object", ALICE, "s3:GetObject", report(), DENIED).gap(),
        step(
            "asks for its head",
            ALICE,
            "s3:HeadObject",
            report(),
            Expected::Refused(403, ""),
        )
        .gap(),
        step("writes one", ALICE, "s3:PutObject", put.clone(), DENIED),
        step("lists users", ALICE, "iam:ListUsers", json!({}), DENIED).gap(),
        done("she may read", ROOT, "iam:AttachUserPolicy", read.clone()),
        step(
            "alice lists buckets",
            ALICE,
            "s3:ListBuckets",
            json!({}),
            Expected::Says("/Buckets/0/Name", "{bucket}"),
        ),
        step("reads an object", ALICE, "s3:GetObject", report(), mine),
        done("asks for its head", ALICE, "s3:HeadObject", report()),
        step("but writes none", ALICE, "s3:PutObject", put, DENIED),
        done("reading is denied", ROOT, "iam:PutUserPolicy", denying),
        step("an explicit denial outweighs", ALICE, "s3:GetObject", report(), DENIED).gap(),
        done("and is of reading alone", ALICE, "s3:ListBuckets", json!({})),
        done("it is taken back", ROOT, "iam:DeleteUserPolicy", deny),
        step("alice reads again", ALICE, "s3:GetObject", report(), mine),
        done("she may no more", ROOT, "iam:DetachUserPolicy", read),
        step("and does not", ALICE, "s3:GetObject", report(), DENIED).gap(),
    ]
}
