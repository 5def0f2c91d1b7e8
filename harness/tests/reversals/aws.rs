//! Scenarios of AWS itself: what the front makes of a change.

use rstest::rstest;

use crate::reversal::Reversed::{self, Words};

#[rstest]
#[case::nothing_is_denied_unless_the_policy_is_missing(
    Words(&[("MyPodRole: {} }", "MyPodRole: { policies: [AmazonS3ReadOnlyAccess] } }")]),
    1,
    "S3 allowed it"
)]
#[case::the_attached_policy_is_unknown_unless_changes_arrive_at_once(
    Words(&[("propagation: 10s", "propagation: 0s")]),
    3,
    "S3 allowed it"
)]
#[case::what_was_taken_away_is_denied_unless_it_has_not_arrived(
    Words(&[("  - advance: 10s\n  - { as: aws-cli, call: s3:ListBuckets, expect: { denied", "  - { as: aws-cli, call: s3:ListBuckets, expect: { denied")]),
    8,
    "S3 allowed it"
)]
fn change_arrives_late(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("aws/change-arrives-late", step, finding);
}

#[rstest]
#[case::writing_is_denied_unless_the_role_may(
    Words(&[("policies: [AmazonS3ReadOnlyAccess]", "policies: [AmazonS3FullAccess]")]),
    2,
    "S3 allowed it"
)]
#[case::the_stranger_has_no_keys_unless_its_account_is_the_readers(
    Words(&[("service_account: stranger }", "service_account: reader }")]),
    3,
    "S3 allowed it"
)]
#[case::aws_refused_the_stranger_unless_it_never_asked(
    Words(&[("stranger: { web_identity: Reader, ", "stranger: { ")]),
    4,
    "no such request was recorded"
)]
#[case::the_proxy_refuses_the_reader_unless_it_is_annotated(
    Words(&[
        ("  roles:\n", "  roles:\n    Other: {}\n"),
        ("reader:   { web_identity: Reader, ", "reader:   { role: Other, web_identity: Reader, "),
    ]),
    5,
    "the keys of role Other"
)]
#[case::no_role_is_assumed_for_it_unless_it_is_annotated(
    Words(&[
        ("  roles:\n", "  roles:\n    Other: {}\n"),
        ("reader:   { web_identity: Reader, ", "reader:   { role: Other, web_identity: Reader, "),
        ("expect: refused", "expect: { role: Other }"),
    ]),
    6,
    "sts:AssumeRole"
)]
fn web_identity(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("aws/web-identity", step, finding);
}
