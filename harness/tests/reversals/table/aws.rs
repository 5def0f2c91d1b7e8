//! Scenarios of AWS itself: what the front makes of a change.

use super::reversal::{Fact::Words, Of, Reversal};

pub(super) const ROWS: &[Of] = &[
    Of(
        "aws/change-arrives-late",
        &[
            Reversal(
                "nothing is denied unless the policy is missing",
                Words(&[("MyPodRole: {} }", "MyPodRole: { policies: [AmazonS3ReadOnlyAccess] } }")]),
                1,
                "S3 allowed it",
            ),
            Reversal(
                "the attached policy is unknown unless changes arrive at once",
                Words(&[("propagation: 10s", "propagation: 0s")]),
                3,
                "S3 allowed it",
            ),
            Reversal(
                "what was taken away is denied unless it has not arrived",
                Words(&[(
                    "  - advance: 10s\n  - { as: aws-cli, call: s3:ListBuckets, expect: { denied",
                    "  - { as: aws-cli, call: s3:ListBuckets, expect: { denied",
                )]),
                8,
                "S3 allowed it",
            ),
        ],
    ),
    Of(
        "aws/web-identity",
        &[
            Reversal(
                "writing is denied unless the role may",
                Words(&[("policies: [AmazonS3ReadOnlyAccess]", "policies: [AmazonS3FullAccess]")]),
                2,
                "S3 allowed it",
            ),
            Reversal(
                "the stranger has no keys unless its account is the reader's",
                Words(&[("service_account: stranger }", "service_account: reader }")]),
                3,
                "S3 allowed it",
            ),
            Reversal(
                "AWS refused the stranger unless it never asked",
                Words(&[("stranger: { web_identity: Reader, ", "stranger: { ")]),
                4,
                "no such request was recorded",
            ),
            Reversal(
                "the proxy refuses the reader unless it is annotated",
                Words(&[
                    ("  roles:\n", "  roles:\n    Other: {}\n"),
                    (
                        "reader:   { web_identity: Reader, ",
                        "reader:   { role: Other, web_identity: Reader, ",
                    ),
                ]),
                5,
                "the keys of role Other",
            ),
            Reversal(
                "no role is assumed for it unless it is annotated",
                Words(&[
                    ("  roles:\n", "  roles:\n    Other: {}\n"),
                    (
                        "reader:   { web_identity: Reader, ",
                        "reader:   { role: Other, web_identity: Reader, ",
                    ),
                    ("expect: refused", "expect: { role: Other }"),
                ]),
                6,
                "sts:AssumeRole",
            ),
        ],
    ),
];
