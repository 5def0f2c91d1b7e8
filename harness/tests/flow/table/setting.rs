use serde_json::{Value, json};

use super::{ALICE, CAROL, EVERYTHING, Expected, PARTNER, READ, ROOT, Step, done, object, report, step, trust};

fn body(bucket: &str, text: &str) -> Value {
    json!({"Bucket": bucket, "Key": "report", "Body": text})
}

fn user(name: &str) -> Value {
    json!({"UserName": name})
}

/// Who and what there is: three users with keys, three roles, a bucket of each account.
pub(super) fn made() -> Vec<Step> {
    let root = Expected::Says("/Arn", "arn:aws:iam::{account}:root");
    let mut steps = vec![step(
        "root is the account",
        ROOT,
        "sts:GetCallerIdentity",
        json!({}),
        root,
    )];
    for name in ["alice", "bob", "carol"] {
        steps.push(done("root makes a user", ROOT, "iam:CreateUser", user(name)));
        steps.push(done("and a key", ROOT, "iam:CreateAccessKey", user(name)).keeps(name));
    }
    let taken = Expected::Refused(409, "EntityAlreadyExists");
    steps.push(step("a user is made once", ROOT, "iam:CreateUser", user("bob"), taken));
    for (name, principal) in [
        ("alices", json!({"AWS": "arn:aws:iam::{account}:user/alice"})),
        ("carols", json!({"AWS": "arn:aws:iam::{account}:user/carol"})),
        ("instances", json!({"Service": "ec2.amazonaws.com"})),
    ] {
        let role = json!({"RoleName": name, "AssumeRolePolicyDocument": trust(&principal, &Value::Null)});
        steps.push(done("root makes a role", ROOT, "iam:CreateRole", role));
    }
    for (by, bucket, text) in [(ROOT, "{bucket}", "mine"), (PARTNER, "{other}", "theirs")] {
        steps.push(done(
            "a bucket is made",
            by,
            "s3:CreateBucket",
            json!({"Bucket": bucket}),
        ));
        steps.push(done("an object is put", by, "s3:PutObject", body(bucket, text)));
    }
    steps.extend([
        step(
            "a root user may do everything without a policy",
            ROOT,
            "s3:GetObject",
            report(),
            Expected::Says("/Body", "mine"),
        ),
        step(
            "a role that is not there",
            ROOT,
            "iam:GetRole",
            json!({"RoleName": "absent"}),
            Expected::Refused(404, "NoSuchEntity"),
        ),
        step(
            "a policy that is none",
            ROOT,
            "iam:PutUserPolicy",
            json!({"UserName": "alice", "PolicyName": "none", "PolicyDocument": "{"}),
            Expected::Refused(400, "MalformedPolicyDocument"),
        ),
        step(
            "a bucket that is not there",
            ROOT,
            "s3:GetObject",
            object("absent-{bucket}", "report"),
            Expected::Refused(404, "NoSuchBucket"),
        ),
        step(
            "an object that is not there",
            ROOT,
            "s3:GetObject",
            object("{bucket}", "absent"),
            Expected::Refused(404, "NoSuchKey"),
        ),
        step(
            "a bucket that is not empty",
            ROOT,
            "s3:DeleteBucket",
            json!({"Bucket": "{bucket}"}),
            Expected::Refused(409, "BucketNotEmpty"),
        ),
    ]);
    steps
}

/// Everything goes again, and its keys with it.
pub(super) fn removed() -> Vec<Step> {
    let role = |name: &str| json!({"RoleName": name});
    let role_policy = |name: &str, arn: &str| json!({"RoleName": name, "PolicyArn": arn});
    let mut steps = vec![
        done(
            "carol's rights go",
            ROOT,
            "iam:DetachUserPolicy",
            json!({"UserName": "carol", "PolicyArn": EVERYTHING}),
        ),
        done(
            "her role's go",
            ROOT,
            "iam:DetachRolePolicy",
            role_policy("carols", EVERYTHING),
        ),
        done(
            "those of alice's role go",
            ROOT,
            "iam:DetachRolePolicy",
            role_policy("alices", READ),
        ),
    ];
    for name in ["alices", "carols", "instances"] {
        steps.push(done("a role goes", ROOT, "iam:DeleteRole", role(name)));
    }
    for name in ["alice", "bob"] {
        let key = json!({"UserName": name, "AccessKeyId": format!("{{key of {name}}}")});
        steps.push(done("a key goes", ROOT, "iam:DeleteAccessKey", key));
    }
    for name in ["alice", "bob", "carol"] {
        steps.push(done("a user goes", ROOT, "iam:DeleteUser", user(name)));
    }
    for (who, by) in [("alice", ALICE), ("carol", CAROL)] {
        let what = format!("a key of {who}, who is no more");
        let unknown = Expected::Refused(403, "InvalidClientTokenId");
        steps.push(step(&what, by, "sts:GetCallerIdentity", json!({}), unknown).gap());
    }
    let copy = object("{other}", "copy");
    steps.push(done(
        "a copy that was refused may go too",
        PARTNER,
        "s3:DeleteObject",
        copy,
    ));
    for (by, bucket) in [(ROOT, "{bucket}"), (PARTNER, "{other}")] {
        steps.push(done("an object goes", by, "s3:DeleteObject", object(bucket, "report")));
        steps.push(done("a bucket goes", by, "s3:DeleteBucket", json!({"Bucket": bucket})));
    }
    for by in [ROOT, PARTNER] {
        for (operation, list) in [
            ("iam:ListUsers", "/Users"),
            ("iam:ListRoles", "/Roles"),
            ("s3:ListBuckets", "/Buckets"),
        ] {
            steps.push(step(
                "nothing is left",
                by,
                operation,
                json!({}),
                Expected::Nothing(list),
            ));
        }
    }
    steps
}
