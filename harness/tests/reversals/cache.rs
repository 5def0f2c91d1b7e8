//! Scenarios of the profile `cache`: how long keys are kept, and how often AWS is asked for them.

use rstest::rstest;

use crate::reversal::Reversed::{self, Words};

/// A cache is a node's own.
const POD_ON_THE_OTHER_NODE: (&str, &str) = (
    "aws-cli: { role: MyPodRole } }",
    "aws-cli: { role: MyPodRole }, elsewhere: { role: MyPodRole, node: node-2 } }",
);

#[rstest]
#[case::the_key_is_the_same_after_14_minutes_unless_it_is_kept_for_five(
    Words(&[("cache_ttl: 15m", "cache_ttl: 5m")]),
    3,
    "another key: "
)]
#[case::aws_was_asked_once_unless_a_pod_on_the_other_node_asked_too(
    Words(&[
        POD_ON_THE_OTHER_NODE,
        ("  - journal:", "  - { as: elsewhere, credentials: {}, expect: { role: MyPodRole } }\n  - journal:"),
    ]),
    5,
    "2 were recorded"
)]
#[case::a_new_pod_gets_the_same_key_unless_it_comes_too_late(
    Words(&[("  - name: a new pod", "  - advance: 2m\n  - name: a new pod")]),
    7,
    "another key: "
)]
#[case::the_key_is_a_new_one_after_16_minutes_unless_it_is_kept_for_thirty(
    Words(&[("cache_ttl: 15m", "cache_ttl: 30m")]),
    8,
    "still the key "
)]
fn cache_fifteen_minutes(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/cache-fifteen-minutes", step, finding);
}

#[test]
fn hundred_at_once_asks_aws_once_unless_a_pod_on_the_other_node_asks_too() {
    let words = Words(&[
        POD_ON_THE_OTHER_NODE,
        (
            "  - heal: sts\n",
            "  - { as: elsewhere, credentials: {}, expect: { role: MyPodRole } }\n  - heal: sts\n",
        ),
    ]);
    words.fails("kube2iam/hundred-at-once", 5, "2 were recorded");
}
