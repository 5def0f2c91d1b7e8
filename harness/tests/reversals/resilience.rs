//! Scenarios of the profile `resilience`: what pods get while their proxy is away, and once it is back.

use rstest::rstest;

use crate::reversal::Reversed::{self, Words};

/// The rule goes with the process that is then stopped.
const RULE_GOES_BEFORE_STOP: (&str, &str) = (
    "  - stop: proxy",
    "  - apply: { proxy: { intercept: none } }\n  - stop: proxy",
);

#[rstest]
#[case::a_pod_is_refused_unless_another_nodes_proxy_is_stopped(
    Words(&[("stop: proxy", "stop: { proxy: node-2 }")]),
    3,
    "the keys of role MyPodRole"
)]
#[case::a_pod_is_refused_unless_the_rule_goes_with_the_proxy(
    Words(&[RULE_GOES_BEFORE_STOP]),
    4,
    "the keys of role nodes.example.cluster.k8s.local"
)]
#[case::a_call_finds_no_keys_unless_the_rule_goes_with_the_proxy(
    Words(&[
        RULE_GOES_BEFORE_STOP,
        ("expect: refused }\n  - { as: aws-cli, call", "expect: { role: node } }\n  - { as: aws-cli, call"),
    ]),
    5,
    "role nodes.example.cluster.k8s.local, session "
)]
#[case::after_a_kill_a_pod_is_refused_unless_another_nodes_proxy_is_killed(
    Words(&[("kill: proxy", "kill: { proxy: node-2 }")]),
    8,
    "the keys of role MyPodRole"
)]
#[case::after_a_kill_a_pod_is_refused_unless_the_rule_goes_with_the_proxy(
    Words(&[("  - kill: proxy", "  - apply: { proxy: { intercept: none } }\n  - kill: proxy")]),
    9,
    "the keys of role nodes.example.cluster.k8s.local"
)]
fn proxy_down_is_refused(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/proxy-down-is-refused", step, finding);
}

#[rstest]
#[case::the_other_nodes_pod_is_refused_unless_the_role_has_become_its_own(
    Words(&[(
        "  - { as: other, credentials: { ask_for: MyPodRole }",
        "  - apply: { pods: { other: { role: MyPodRole } } }\n  - { as: other, credentials: { ask_for: MyPodRole }",
    )]),
    10,
    "the keys of role MyPodRole"
)]
#[case::the_other_node_never_asks_aws_unless_a_pod_there_has_the_role(
    Words(&[
        ("  pods:\n", "  pods:\n    third: { role: MyPodRole, node: node-2 }\n"),
        (
            "  - name: and nobody",
            "  - { as: third, credentials: {}, expect: { role: MyPodRole } }\n  - name: and nobody",
        ),
    ]),
    11,
    "1 was recorded: sts:AssumeRole from node-2 for role MyPodRole"
)]
fn proxy_restart_serves_again(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/proxy-restart-serves-again", step, finding);
}
