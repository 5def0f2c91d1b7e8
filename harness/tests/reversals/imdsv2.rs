//! Scenarios of the profile `imdsv2`: what comes to whom brings no token.

use rstest::rstest;

use crate::reversal::Reversed::{self, Words};

const NO_TOKEN_IS_WANTED: (&str, &str) = ("require_token: true", "require_token: false");

#[rstest]
#[case::who_brings_no_token_gets_nothing_unless_none_is_wanted(
    Words(&[NO_TOKEN_IS_WANTED]),
    4,
    "the keys of role MyPodRole"
)]
#[case::who_brings_no_token_is_told_401_unless_none_is_wanted(
    Words(&[
        NO_TOKEN_IS_WANTED,
        (
            "  - name: and who",
            "  - apply: { pods: { aws-cli: { role: null } } }\n  \
             - { as: aws-cli, credentials: {}, expect: refused, within: 2s }\n  - name: and who",
        ),
    ]),
    6,
    "404 to GET"
)]
fn sdk_imdsv2(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/sdk-imdsv2", step, finding);
}
