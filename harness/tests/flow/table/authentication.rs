use serde_json::{Value, json};

use super::{ALICE, CAROL, DENIED, EVERYTHING, Expected, ROOT, Signer, Step, done, report, step};
use crate::step::Ask;

/// The same question to each service, and what each says.
fn each(what: &str, by: Signer, s3: Expected, iam_and_sts: Expected) -> Vec<Step> {
    [
        ("s3:ListBuckets", s3),
        ("iam:ListUsers", iam_and_sts),
        ("sts:GetCallerIdentity", iam_and_sts),
    ]
    .map(|(operation, expected)| {
        let step = step(what, by, operation, json!({}), expected);
        match expected {
            Expected::Refused(..) => step.gap(),
            _ => step,
        }
    })
    .to_vec()
}

fn refused(code: &'static str) -> Expected {
    Expected::Refused(403, code)
}

/// Who is taken for whom: carol may do everything, and so may the role that she assumes.
pub(super) fn steps() -> Vec<Step> {
    const ADMIN: &str = "admin";
    let (unknown, invalid) = (refused("InvalidAccessKeyId"), refused("InvalidClientTokenId"));
    let forged = refused("SignatureDoesNotMatch");
    let everything = |of: &str, name: &str| json!({of: name, "PolicyArn": EVERYTHING});
    let assume = json!({
        "RoleArn": "arn:aws:iam::{account}:role/carols", "RoleSessionName": "session", "DurationSeconds": 900,
    });
    let key = |status: &str| json!({"UserName": "carol", "AccessKeyId": "{key of carol}", "Status": status});
    let link = |life: u64| json!({"Bucket": "{bucket}", "Key": "report", "ExpiresIn": life});
    let open = |what: &str, ask: Ask, expected: Expected| Step::new(what, Signer::Nobody, ask, expected);
    let mine = Expected::Says("/Body", "mine");
    let sign = |what: &str, by: Signer, life: u64| done(what, by, "s3:Presign", link(life));
    [
        vec![
            done(
                "carol may do everything",
                ROOT,
                "iam:AttachUserPolicy",
                everything("UserName", "carol"),
            ),
            done(
                "and so may her role",
                ROOT,
                "iam:AttachRolePolicy",
                everything("RoleName", "carols"),
            ),
            done("she assumes it for 15 minutes", CAROL, "sts:AssumeRole", assume).keeps(ADMIN),
        ],
        each("keys as they were given", CAROL, Expected::Done, Expected::Done),
        each(
            "those of a session",
            Signer::Keys(ADMIN),
            Expected::Done,
            Expected::Done,
        ),
        each("a wrong secret", Signer::WrongSecret("carol"), forged, forged),
        each("a session's wrong secret", Signer::WrongSecret(ADMIN), forged, forged),
        each(
            "a wrong token",
            Signer::WrongToken(ADMIN),
            Expected::Refused(400, "InvalidToken"),
            invalid,
        ),
        each("no token", Signer::NoToken(ADMIN), unknown, invalid),
        each("an unknown key", Signer::UnknownKey("carol"), unknown, invalid),
        each("nobody", Signer::Nobody, DENIED, refused("MissingAuthenticationToken")),
        vec![
            step(
                "nobody reads an object",
                Signer::Nobody,
                "s3:GetObject",
                report(),
                DENIED,
            )
            .gap(),
        ],
        vec![
            sign("carol signs a link", CAROL, 3600).keeps("link"),
            open("it opens", Ask::Open("link"), mine),
            open("not with another signature", Ask::OpenForged("link"), forged).gap(),
            sign("alice signs one to what she may not read", ALICE, 3600).keeps("alice's link"),
            open("it opens nothing", Ask::Open("alice's link"), DENIED).gap(),
            sign("a link of a wrong secret", Signer::WrongSecret("carol"), 3600).keeps("forged link"),
            open("opens nothing", Ask::Open("forged link"), forged).gap(),
            sign("carol signs one for eight seconds", CAROL, 8).keeps("short link"),
            open("it opens", Ask::Open("short link"), mine),
            sign("her session signs one for an hour", Signer::Keys(ADMIN), 3600).keeps("session's link"),
            open("it opens", Ask::Open("session's link"), mine),
        ],
        vec![done(
            "her key is made inactive",
            ROOT,
            "iam:UpdateAccessKey",
            key("Inactive"),
        )],
        each("an inactive key", CAROL, unknown, invalid),
        vec![
            open("its link", Ask::Open("link"), unknown).gap(),
            done("her key is made active", ROOT, "iam:UpdateAccessKey", key("Active")),
        ],
        each("an active key", CAROL, Expected::Done, Expected::Done),
    ]
    .concat()
}

/// carol's key is deleted.
pub(super) fn deleted() -> Vec<Step> {
    let key: Value = json!({"UserName": "carol", "AccessKeyId": "{key of carol}"});
    let (unknown, invalid) = (refused("InvalidAccessKeyId"), refused("InvalidClientTokenId"));
    let mut steps = vec![done("her key is deleted", ROOT, "iam:DeleteAccessKey", key)];
    steps.extend(each("a deleted key", CAROL, unknown, invalid));
    steps
}
