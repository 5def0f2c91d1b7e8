//! Scenarios of the profile `cache`: how long keys are kept, and how often AWS is asked for them.

use super::reversal::{Fact::Words, Of, Reversal};

/// A cache is a node's own.
const POD_ON_THE_OTHER_NODE: (&str, &str) = (
    "aws-cli: { role: MyPodRole } }",
    "aws-cli: { role: MyPodRole }, elsewhere: { role: MyPodRole, node: node-2 } }",
);

pub(super) const ROWS: &[Of] = &[
    Of(
        "kube2iam/cache-fifteen-minutes",
        &[
            Reversal(
                "the key is the same after 14 minutes unless it is kept for five",
                Words(&[("cache_ttl: 15m", "cache_ttl: 5m")]),
                3,
                "another key: ",
            ),
            Reversal(
                "AWS was asked once unless a pod on the other node asked too",
                Words(&[
                    POD_ON_THE_OTHER_NODE,
                    (
                        "  - journal:",
                        "  - { as: elsewhere, credentials: {}, expect: { role: MyPodRole } }\n  - journal:",
                    ),
                ]),
                5,
                "2 were recorded",
            ),
            Reversal(
                "a new pod gets the same key unless it comes too late",
                Words(&[("  - name: a new pod", "  - advance: 2m\n  - name: a new pod")]),
                7,
                "another key: ",
            ),
            Reversal(
                "the key is a new one after 16 minutes unless it is kept for thirty",
                Words(&[("cache_ttl: 15m", "cache_ttl: 30m")]),
                8,
                "still the key ",
            ),
        ],
    ),
    Of(
        "kube2iam/hundred-at-once",
        &[Reversal(
            "AWS is asked once unless a pod on the other node asks too",
            Words(&[
                POD_ON_THE_OTHER_NODE,
                (
                    "  - heal: sts\n",
                    "  - { as: elsewhere, credentials: {}, expect: { role: MyPodRole } }\n  - heal: sts\n",
                ),
            ]),
            5,
            "2 were recorded",
        )],
    ),
];
