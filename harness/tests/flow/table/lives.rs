use serde_json::json;

use super::{CAROL, DENIED, Expected, Signer, Step, authentication, report, step};
use crate::step::Ask;

/// Sessions and links end, keys do when they are deleted.
pub(super) fn steps() -> Vec<Step> {
    let admin = Signer::Keys("admin");
    let ended = |status| Expected::Refused(status, "ExpiredToken");
    let mine = Expected::Says("/Body", "mine");
    // A signature's date may agree with the real clock, too: a link's end alone is waited for.
    let later = Ask::Advance(901);
    let mut steps = vec![
        Step::new("15 minutes later", Signer::Nobody, later, Expected::Done),
        step("a session ends", admin, "s3:ListBuckets", json!({}), ended(400)),
        step("for every service", admin, "iam:ListUsers", json!({}), ended(403)),
        step(
            "without exception",
            admin,
            "sts:GetCallerIdentity",
            json!({}),
            ended(403),
        ),
        Step::new("a link ends", Signer::Nobody, Ask::Open("short link"), DENIED).comes(),
        Step::new(
            "one ends with its session",
            Signer::Nobody,
            Ask::Open("session's link"),
            ended(400),
        ),
        Step::new("one of an hour does not", Signer::Nobody, Ask::Open("link"), mine),
        step("nor does a user's key", CAROL, "s3:GetObject", report(), mine),
    ];
    steps.extend(authentication::deleted());
    steps
}
