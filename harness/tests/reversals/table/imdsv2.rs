//! Scenarios of the profile `imdsv2`: what comes to whom brings no token.

use super::reversal::{Fact::Words, Of, Reversal};

const NO_TOKEN_IS_WANTED: (&str, &str) = ("require_token: true", "require_token: false");

pub(super) const ROWS: &[Of] = &[Of(
    "kube2iam/sdk-imdsv2",
    &[
        Reversal(
            "who brings no token gets nothing unless none is wanted",
            Words(&[NO_TOKEN_IS_WANTED]),
            4,
            "the keys of role MyPodRole",
        ),
        Reversal(
            "who brings no token is told 401 unless none is wanted",
            Words(&[
                NO_TOKEN_IS_WANTED,
                (
                    "  - name: and who",
                    "  - apply: { pods: { aws-cli: { role: null } } }\n  \
             - { as: aws-cli, credentials: {}, expect: refused, within: 2s }\n  - name: and who",
                ),
            ]),
            6,
            "404 to GET",
        ),
    ],
)];
