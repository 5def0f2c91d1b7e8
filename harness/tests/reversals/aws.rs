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
