//! Scenarios of the profile `namespace`: what a namespace's list of allowed roles refuses.

use super::reversal::{Fact::Words, Of, Reversal};

const RESTRICTION_OFF: (&str, &str) = ("namespace_restrictions: true", "namespace_restrictions: false");

pub(super) const ROWS: &[Of] = &[
    Of(
        "kube2iam/namespace-restriction",
        &[
            Reversal(
                "a role not listed is refused unless the restriction is off",
                Words(&[RESTRICTION_OFF]),
                2,
                "trust policy of OtherRole",
            ),
            Reversal(
                "AWS is never asked unless the restriction is off",
                Words(&[RESTRICTION_OFF, ("OtherRole: {}", "OtherRole: { trust: none }")]),
                3,
                // How often depends on how long the step before asks.
                "sts:AssumeRole from node-1 for role OtherRole",
            ),
        ],
    ),
    Of(
        "kube2iam/namespace-restriction-off",
        &[
            Reversal(
                "the flag refuses a role not listed unless it stays off",
                Words(&[RESTRICTION_OFF]),
                4,
                "the keys of role OtherRole",
            ),
            Reversal(
                "the flag refuses a role unless it is listed",
                Words(&[("allowed_roles: [MyPodRole]", "allowed_roles: [MyPodRole, OtherRole]")]),
                4,
                "the keys of role OtherRole",
            ),
        ],
    ),
    Of(
        "kube2iam/namespace-template-verbatim",
        &[
            Reversal(
                "the template refuses the pod's role unless the restriction is off",
                Words(&[RESTRICTION_OFF]),
                1,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "the template refuses the pod's role unless it names it",
                Words(&[("role/nodes.example.cluster.k8s.local", "role/MyPodRole")]),
                1,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "AWS is never asked unless the restriction is off",
                Words(&[RESTRICTION_OFF, ("expect: refused", "expect: { role: MyPodRole }")]),
                2,
                "1 was recorded: sts:AssumeRole from node-1 for role MyPodRole",
            ),
        ],
    ),
    // Each malformed list becomes the well-formed one next to it; then its namespace hands out the role.
    Of(
        "kube2iam/namespace-annotation-malformed",
        &[
            Reversal(
                "an unclosed list allows nothing unless it can be read",
                Words(&[(r#"'["MyPodRole"'"#, r#"'["MyPodRole"]'"#)]),
                1,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "a list with a number allows nothing unless it can be read",
                Words(&[(r#"'["MyPodRole", 1]'"#, r#"'["MyPodRole", "1"]'"#)]),
                2,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "a bare word allows nothing unless it can be read",
                Words(&[(r#"allowed-roles: "MyPodRole""#, r#"allowed-roles: '["MyPodRole"]'"#)]),
                3,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "a string allows nothing unless it can be read",
                Words(&[(r#"'"MyPodRole"'"#, r#"'["MyPodRole"]'"#)]),
                4,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "a list of a blank entry allows nothing unless it can be read",
                Words(&[(r#"'[""]'"#, r#"'["MyPodRole"]'"#)]),
                5,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "an empty list allows nothing unless it can be read",
                Words(&[(r#""[]""#, r#"'["*"]'"#)]),
                6,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "an empty annotation allows nothing unless it can be read",
                Words(&[(r#"allowed-roles: "" }"#, r#"allowed-roles: '["My*"]' }"#)]),
                7,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "no annotation allows nothing unless it can be read",
                Words(&[("unlabeled: {}", "unlabeled: { allowed_roles: [MyPodRole] }")]),
                8,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "AWS is never asked unless one can be read",
                Words(&[
                    ("unlabeled: {}", "unlabeled: { allowed_roles: [MyPodRole] }"),
                    (
                        "as: unlabeled/app, credentials: {}, expect: refused, throughout: 50ms",
                        "as: unlabeled/app, credentials: {}, expect: { role: MyPodRole }",
                    ),
                ]),
                10,
                "1 was recorded: sts:AssumeRole from node-1 for role MyPodRole",
            ),
        ],
    ),
];
