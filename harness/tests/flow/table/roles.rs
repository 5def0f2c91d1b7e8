use serde_json::{Value, json};

use super::{ALICE, BOB, DENIED, Expected, READ, ROOT, Signer, Step, document, done, report, step, trust};

fn assume(role: &str) -> Value {
    json!({"RoleArn": format!("arn:aws:iam::{{account}}:role/{role}"), "RoleSessionName": "session"})
}

fn with(mut params: Value, name: &str, value: impl Into<Value>) -> Value {
    params[name] = value.into();
    params
}

/// Who may assume a role, for how long, and what its session may do.
pub(super) fn steps() -> Vec<Step> {
    const SESSION: Signer = Signer::Keys("session");
    const NARROWED: Signer = Signer::Keys("narrowed");
    let invalid = Expected::Refused(400, "ValidationError");
    let denied = |what: &str, by: Signer, params: Value| step(what, by, "sts:AssumeRole", params, DENIED).gap();
    let nobodys = json!({"RoleArn": "arn:aws:iam::999999999999:role/absent", "RoleSessionName": "session"});
    let partners = json!({"RoleArn": "arn:aws:iam::{partner}:role/absent", "RoleSessionName": "session"});
    let mut steps = vec![
        denied("bob assumes a role that trusts alice alone", BOB, assume("alices")),
        denied("alice assumes a role that trusts EC2 alone", ALICE, assume("instances")),
        denied("a role that is not there", ALICE, assume("absent")),
        denied("one of another account that is not there", ALICE, partners),
        denied("one of nobody's account", ALICE, nobodys),
        denied("root assumes no role", ROOT, assume("alices")),
    ];
    for seconds in [1, 899, 3601, 43200, 43201] {
        let what = format!("a session of {seconds} s, where 3600 are the role's most");
        let params = with(assume("alices"), "DurationSeconds", seconds);
        steps.push(step(&what, ALICE, "sts:AssumeRole", params, invalid).gap());
    }
    let misnamed = with(assume("alices"), "RoleSessionName", "a b");
    let arn = Expected::Says("/Arn", "arn:aws:sts::{account}:assumed-role/alices/session");
    let of_bob = trust(
        &json!({"AWS": "arn:aws:iam::{account}:user/bob"}),
        &json!({"StringEquals": {"sts:ExternalId": "x1"}}),
    );
    let of_bob = json!({"RoleName": "alices", "PolicyDocument": of_bob});
    let external = |id: &str| with(assume("alices"), "ExternalId", id);
    let narrowed = with(external("x1"), "Policy", document("Allow", "s3:ListAllMyBuckets"));
    let role_reads = json!({"RoleName": "alices", "PolicyArn": READ});
    steps.extend([
        step(
            "a session's name with a space",
            ALICE,
            "sts:AssumeRole",
            misnamed,
            invalid,
        ),
        done("alice assumes her role", ALICE, "sts:AssumeRole", assume("alices")).keeps("session"),
        step("and is its session", SESSION, "sts:GetCallerIdentity", json!({}), arn),
        step(
            "a role without a policy lists buckets",
            SESSION,
            "s3:ListBuckets",
            json!({}),
            DENIED,
        )
        .gap(),
        step("and reads an object", SESSION, "s3:GetObject", report(), DENIED).gap(),
        step("and lists users", SESSION, "iam:ListUsers", json!({}), DENIED).gap(),
        done("the role may read", ROOT, "iam:AttachRolePolicy", role_reads),
        step(
            "its session reads",
            SESSION,
            "s3:GetObject",
            report(),
            Expected::Says("/Body", "mine"),
        ),
        done(
            "the role trusts bob with an external id",
            ROOT,
            "iam:UpdateAssumeRolePolicy",
            of_bob,
        ),
        denied("alice is not trusted any more", ALICE, assume("alices")),
        denied("bob has no external id", BOB, assume("alices")),
        denied("bob has another external id", BOB, external("x2")),
        done("bob has the external id", BOB, "sts:AssumeRole", narrowed).keeps("narrowed"),
        done(
            "a session's policy lets it list buckets",
            NARROWED,
            "s3:ListBuckets",
            json!({}),
        ),
        step(
            "and nothing else that its role may",
            NARROWED,
            "s3:GetObject",
            report(),
            DENIED,
        )
        .gap(),
    ]);
    steps
}
