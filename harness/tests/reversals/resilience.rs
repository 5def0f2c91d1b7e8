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

#[rstest]
#[case::a_known_pods_keys_stay_unless_the_proxy_starts_anew(
    Words(&[(
        "  - { as: aws-cli, credentials: {}, expect: { same_key_as: first } }",
        "  - heal: kubernetes\n  - restart: proxy\n  - { as: aws-cli, credentials: {}, expect: { same_key_as: first } }",
    )]),
    5,
    "another key"
)]
#[case::a_new_pod_is_refused_unless_the_api_server_is_back(
    Words(&[
        ("  - name: a pod that the proxy cannot know gets nobody's keys\n    as: late\n    credentials: {}\n    expect: refused\n\n", ""),
        ("  - heal: kubernetes\n", "  - heal: kubernetes\n  - { as: late, credentials: {}, expect: refused, within: 20s }\n"),
        ("  - { as: late, credentials: {}, expect: { role: OtherRole }, within: 20s }\n", ""),
    ]),
    6,
    "the keys of role OtherRole"
)]
fn api_server_down(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("resilience/api-server-down", step, finding);
}

#[rstest]
#[case::a_pod_is_refused_unless_sts_answers(
    Words(&[("  - inject: { sts: { error: Throttling } }\n", "")]),
    1,
    "the keys of role MyPodRole"
)]
#[case::another_role_is_refused_unless_sts_is_back(
    Words(&[("  - { as: other,", "  - heal: sts\n  - { as: other,")]),
    8,
    "the keys of role OtherRole"
)]
#[case::the_key_stays_unless_the_proxy_starts_anew(
    Words(&[("    inject: { sts: { down: true } }\n", "    restart: proxy\n")]),
    6,
    "another key"
)]
fn sts_throttles(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("resilience/sts-throttles", step, finding);
}

#[rstest]
#[case::the_key_stays_unless_the_proxy_starts_anew(
    Words(&[("  - inject: { imds: { error: 503 } }\n", "  - restart: proxy\n")]),
    3,
    "another key"
)]
#[case::what_is_passed_on_fails_unless_the_metadata_service_answers(
    Words(&[("  - inject: { imds: { error: 503 } }\n", "")]),
    3,
    "200 to GET /latest/meta-data/local-ipv4"
)]
fn metadata_service_fails(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("resilience/metadata-service-fails", step, finding);
}
