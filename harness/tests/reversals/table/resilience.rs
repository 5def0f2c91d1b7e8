//! Scenarios of the profile `resilience`: what pods get while their proxy is away, and once it is back.

use super::reversal::{Fact::Words, Of, Reversal};

/// The rule goes with the process that is then stopped.
const RULE_GOES_BEFORE_STOP: (&str, &str) = (
    "  - stop: proxy",
    "  - apply: { proxy: { intercept: none } }\n  - stop: proxy",
);

pub(super) const ROWS: &[Of] = &[
    Of(
        "kube2iam/proxy-down-is-refused",
        &[
            Reversal(
                "a pod is refused unless another node's proxy is stopped",
                Words(&[("stop: proxy", "stop: { proxy: node-2 }")]),
                3,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "a pod is refused unless the rule goes with the proxy",
                Words(&[RULE_GOES_BEFORE_STOP]),
                4,
                "the keys of role nodes.example.cluster.k8s.local",
            ),
            Reversal(
                "a call finds no keys unless the rule goes with the proxy",
                Words(&[
                    RULE_GOES_BEFORE_STOP,
                    (
                        "expect: refused }\n  - { as: aws-cli, call",
                        "expect: { role: node } }\n  - { as: aws-cli, call",
                    ),
                ]),
                5,
                "role nodes.example.cluster.k8s.local, session ",
            ),
            Reversal(
                "after a kill a pod is refused unless another node's proxy is killed",
                Words(&[("kill: proxy", "kill: { proxy: node-2 }")]),
                8,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "after a kill a pod is refused unless the rule goes with the proxy",
                Words(&[(
                    "  - kill: proxy",
                    "  - apply: { proxy: { intercept: none } }\n  - kill: proxy",
                )]),
                9,
                "the keys of role nodes.example.cluster.k8s.local",
            ),
        ],
    ),
    Of(
        "kube2iam/proxy-restart-serves-again",
        &[
            Reversal(
                "the other node's pod is refused unless the role has become its own",
                Words(&[(
                    "  - { as: other, credentials: { ask_for: MyPodRole }",
                    "  - apply: { pods: { other: { role: MyPodRole } } }\n  - { as: other, credentials: { ask_for: MyPodRole }",
                )]),
                10,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "the other node never asks AWS unless a pod there has the role",
                Words(&[
                    ("  pods:\n", "  pods:\n    third: { role: MyPodRole, node: node-2 }\n"),
                    (
                        "  - name: and nobody",
                        "  - { as: third, credentials: {}, expect: { role: MyPodRole } }\n  - name: and nobody",
                    ),
                ]),
                11,
                "1 was recorded: sts:AssumeRole from node-2 for role MyPodRole",
            ),
        ],
    ),
    Of(
        "resilience/api-server-down",
        &[
            Reversal(
                "a known pod's keys stay unless the proxy starts anew",
                Words(&[(
                    "  - { as: aws-cli, credentials: {}, expect: { same_key_as: first } }",
                    "  - heal: kubernetes\n  - restart: proxy\n  - { as: aws-cli, credentials: {}, expect: { same_key_as: first } }",
                )]),
                5,
                "another key",
            ),
            Reversal(
                "a new pod is refused unless the API server is back",
                Words(&[
                    (
                        "  - name: a pod that the proxy cannot know gets nobody's keys\n    as: late\n    credentials: {}\n    expect: refused\n\n",
                        "",
                    ),
                    (
                        "  - heal: kubernetes\n",
                        "  - heal: kubernetes\n  - { as: late, credentials: {}, expect: refused, within: 20s }\n",
                    ),
                    (
                        "  - { as: late, credentials: {}, expect: { role: OtherRole }, within: 20s }\n",
                        "",
                    ),
                ]),
                6,
                "the keys of role OtherRole",
            ),
        ],
    ),
    Of(
        "resilience/sts-throttles",
        &[
            Reversal(
                "a pod is refused unless STS answers",
                Words(&[("  - inject: { sts: { error: Throttling } }\n", "")]),
                1,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "another role is refused unless STS is back",
                Words(&[("  - { as: other,", "  - heal: sts\n  - { as: other,")]),
                8,
                "the keys of role OtherRole",
            ),
            Reversal(
                "the key stays unless the proxy starts anew",
                Words(&[("    inject: { sts: { down: true } }\n", "    restart: proxy\n")]),
                6,
                "another key",
            ),
        ],
    ),
    Of(
        "resilience/metadata-service-fails",
        &[
            Reversal(
                "the key stays unless the proxy starts anew",
                Words(&[("  - inject: { imds: { error: 503 } }\n", "  - restart: proxy\n")]),
                3,
                "another key",
            ),
            Reversal(
                "what is passed on fails unless the metadata service answers",
                Words(&[("  - inject: { imds: { error: 503 } }\n", "")]),
                3,
                "200 to GET /latest/meta-data/local-ipv4",
            ),
        ],
    ),
];
