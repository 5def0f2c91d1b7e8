//! Scenarios of the profile `pod-role`: the role of a pod, and no other, comes to it.

use super::reversal::{
    Fact::{Enforcement, Words},
    Of, Reversal,
};

/// No rule stands before the node's own metadata service.
const INTERCEPTION_OFF: (&str, &str) = ("profile: pod-role\n", "profile: pod-role\nproxy: { intercept: none }\n");

/// In `other-role-refused`, what the pod may have is what it then asks for.
const OTHER_ROLE_IS_ITS_OWN: (&str, &str) = ("aws-cli: { role: MyPodRole }", "aws-cli: { role: OtherRole }");
const AND_COMES: (&str, &str) = (
    "credentials: {}, expect: { role: MyPodRole }",
    "credentials: {}, expect: { role: OtherRole }",
);

/// In `unannotated-pod`, the pod without an annotation has one.
const BARE_HAS_A_ROLE: (&str, &str) = (
    "  pods: { bare: {},",
    "  roles: { MyPodRole: {} }\n  pods: { bare: { role: MyPodRole },",
);
const BARE_HAS_A_ROLE_THAT_TRUSTS_NOBODY: (&str, &str) = (
    "  pods: { bare: {},",
    "  roles: { MyPodRole: { trust: none } }\n  pods: { bare: { role: MyPodRole },",
);

pub(super) const ROWS: &[Of] = &[
    Of(
        "kube2iam/no-permission",
        &[
            Reversal(
                "S3 denies a role without permissions unless enforcement is off",
                Enforcement,
                2,
                "let through: enforcement is off",
            ),
            Reversal(
                "S3 denies a role without permissions unless it has a policy",
                Words(&[("MyPodRole: {}", "MyPodRole: { policies: [AmazonS3ReadOnlyAccess] }")]),
                2,
                "managed policy AmazonS3ReadOnlyAccess",
            ),
            Reversal(
                "the caller is the pod's role unless nothing intercepts",
                Words(&[
                    INTERCEPTION_OFF,
                    ("expect: { role: MyPodRole }", "expect: { role: node }"),
                ]),
                2,
                "signed by role nodes.example.cluster.k8s.local",
            ),
        ],
    ),
    Of(
        "kube2iam/attach-s3-read",
        &[
            Reversal(
                "S3 denies before the policy comes unless enforcement is off",
                Enforcement,
                2,
                "let through: enforcement is off",
            ),
            Reversal(
                "S3 denies before the policy comes unless it is there already",
                Words(&[(
                    "MyPodRole: {} }\n  buckets",
                    "MyPodRole: { policies: [AmazonS3ReadOnlyAccess] } }\n  buckets",
                )]),
                2,
                "managed policy AmazonS3ReadOnlyAccess",
            ),
            Reversal(
                "S3 denies writing unless the policy is for full access",
                Words(&[("policies: [AmazonS3ReadOnlyAccess]", "policies: [AmazonS3FullAccess]")]),
                7,
                "managed policy AmazonS3FullAccess",
            ),
        ],
    ),
    Of(
        "kube2iam/default-role",
        &[
            Reversal(
                "a pod with a role is refused the default unless it has no role of its own",
                Words(&[
                    ("own:     { role: MyPodRole }", "own:     {}"),
                    (
                        "as: own, credentials: {}, expect: { role: MyPodRole }",
                        "as: own, credentials: {}, expect: { role: DefaultRole }",
                    ),
                ]),
                3,
                "the keys of role DefaultRole",
            ),
            Reversal(
                "an unknown pod is refused unless the API shows it",
                Words(&[("hidden: true", "hidden: false")]),
                4,
                "the keys of role DefaultRole",
            ),
        ],
    ),
    Of(
        "kube2iam/external-id",
        &[
            Reversal(
                "a wrong external id is refused unless it is the right one",
                Words(&[("external_id: wrong", "external_id: right")]),
                2,
                "the keys of role Guarded",
            ),
            Reversal(
                "a wrong external id is refused unless the role wants none",
                Words(&[("trust: { node: { external_id: right } }", "trust: node")]),
                2,
                "the keys of role Guarded",
            ),
            Reversal(
                "no external id is refused unless the pod has the right one",
                Words(&[(
                    "none:  { role: Guarded }",
                    "none:  { role: Guarded, external_id: right }",
                )]),
                3,
                "the keys of role Guarded",
            ),
        ],
    ),
    Of(
        "kube2iam/other-role-refused",
        &[
            Reversal(
                "another role is refused unless it is the pod's own",
                Words(&[OTHER_ROLE_IS_ITS_OWN, AND_COMES]),
                2,
                "the keys of role OtherRole",
            ),
            Reversal(
                "another role is refused by a 403 unless the pod has no role",
                Words(&[
                    ("aws-cli: { role: MyPodRole }", "aws-cli: {}"),
                    (
                        "credentials: {}, expect: { role: MyPodRole }",
                        "credentials: {}, expect: refused",
                    ),
                ]),
                2,
                "404 to GET",
            ),
            Reversal(
                "the path of another role is refused unless it is the pod's own",
                Words(&[
                    OTHER_ROLE_IS_ITS_OWN,
                    AND_COMES,
                    ("expect: { refused: true, status: 403 }", "expect: { role: OtherRole }"),
                ]),
                3,
                "the keys of role OtherRole",
            ),
            Reversal(
                "the path of the node's role shows no keys unless nothing intercepts",
                Words(&[
                    INTERCEPTION_OFF,
                    (
                        "credentials: {}, expect: { role: MyPodRole }",
                        "credentials: {}, expect: { role: node }",
                    ),
                    ("status: 403", "status: 404"),
                    ("refused: true, no_node_credentials: true", "no_node_credentials: true"),
                ]),
                3,
                "the answer holds the node's role credentials",
            ),
            Reversal(
                "AWS is never asked unless a pod has that role",
                Words(&[
                    (
                        "aws-cli: { role: MyPodRole } }",
                        "aws-cli: { role: MyPodRole }, other: { role: OtherRole } }",
                    ),
                    (
                        "  - journal:",
                        "  - { as: other, credentials: {}, expect: { role: OtherRole } }\n  - journal:",
                    ),
                ]),
                5,
                "1 was recorded: sts:AssumeRole from node-1 for role OtherRole",
            ),
        ],
    ),
    Of(
        "kube2iam/role-change",
        &[
            Reversal(
                "the former role is refused unless it is still the pod's",
                Words(&[
                    ("aws-cli: { role: OtherRole }", "aws-cli: { role: MyPodRole }"),
                    ("expect: { role: OtherRole }", "expect: { role: MyPodRole }"),
                ]),
                4,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "the last role is refused unless its annotation stays",
                Words(&[("role: null", "role: OtherRole")]),
                6,
                "the keys of role OtherRole",
            ),
        ],
    ),
    Of(
        "kube2iam/known-by-watching",
        &[Reversal(
            "the API server is asked nothing unless the proxy starts anew",
            Words(&[("  - name: and for that", "  - restart: proxy\n  - name: and for that")]),
            5,
            "recorded, first kubernetes:",
        )],
    ),
    Of(
        "kube2iam/trust-without-node",
        &[
            Reversal(
                "the role is refused unless it trusts the node",
                Words(&[("trust: ec2", "trust: node")]),
                1,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "the role is refused unless nothing intercepts",
                Words(&[INTERCEPTION_OFF]),
                1,
                "the keys of role nodes.example.cluster.k8s.local",
            ),
            Reversal(
                "the path of the role is refused unless it trusts the node",
                Words(&[
                    ("trust: ec2", "trust: node"),
                    (
                        "credentials: {}, expect: refused",
                        "credentials: {}, expect: { role: MyPodRole }",
                    ),
                ]),
                2,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "the path of the node's role shows no keys unless nothing intercepts",
                Words(&[
                    INTERCEPTION_OFF,
                    (
                        "credentials: {}, expect: refused",
                        "credentials: {}, expect: { role: node }",
                    ),
                    ("refused: true, no_node_credentials: true", "no_node_credentials: true"),
                ]),
                2,
                "the answer holds the node's role credentials",
            ),
            Reversal(
                "a call finds no keys unless the role has come to trust the node",
                Words(&[(
                    "  - { as: aws-cli, call:",
                    "  - apply: { roles: { MyPodRole: { trust: node } } }\n  - advance: 2s\n  - { as: aws-cli, call:",
                )]),
                5,
                "role MyPodRole, session ",
            ),
        ],
    ),
    Of(
        "kube2iam/unannotated-pod",
        &[
            Reversal(
                "a bare pod is refused unless it has a role",
                Words(&[BARE_HAS_A_ROLE]),
                1,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "a bare pod is told 404 unless it has a role",
                Words(&[BARE_HAS_A_ROLE_THAT_TRUSTS_NOBODY]),
                1,
                "403 to GET",
            ),
            Reversal(
                "a blank annotation is refused unless it names a role",
                Words(&[
                    ("  pods:", "  roles: { MyPodRole: {} }\n  pods:"),
                    ("iam.amazonaws.com/role: \"\"", "iam.amazonaws.com/role: MyPodRole"),
                ]),
                2,
                "the keys of role MyPodRole",
            ),
            Reversal(
                "a blank annotation is told 404 unless it names a role",
                Words(&[
                    ("  pods:", "  roles: { MyPodRole: { trust: none } }\n  pods:"),
                    ("iam.amazonaws.com/role: \"\"", "iam.amazonaws.com/role: MyPodRole"),
                ]),
                2,
                "403 to GET",
            ),
            Reversal(
                "no path shows the node's keys unless nothing intercepts",
                Words(&[
                    INTERCEPTION_OFF,
                    (
                        "as: bare, credentials: {}, expect: { refused: true, status: 404 }",
                        "as: bare, credentials: {}, expect: { role: node }",
                    ),
                    (
                        "as: blank, credentials: {}, expect: { refused: true, status: 404 }",
                        "as: blank, credentials: {}, expect: { role: node }",
                    ),
                    (
                        "refused: true, no_node_credentials: true, status: 404",
                        "no_node_credentials: true",
                    ),
                ]),
                3,
                "the answer holds the node's role credentials",
            ),
            Reversal(
                "every path is answered 404 unless the pod has a role",
                Words(&[
                    BARE_HAS_A_ROLE_THAT_TRUSTS_NOBODY,
                    (
                        "as: bare, credentials: {}, expect: { refused: true, status: 404 }",
                        "as: bare, credentials: {}, expect: { refused: true, status: 403 }",
                    ),
                ]),
                3,
                "403 to GET",
            ),
            Reversal(
                "AWS is never asked unless a pod has a role",
                Words(&[
                    (
                        "  pods: { bare: {},",
                        "  roles: { MyPodRole: {} }\n  pods: { own: { role: MyPodRole }, bare: {},",
                    ),
                    (
                        "  - journal:",
                        "  - { as: own, credentials: {}, expect: { role: MyPodRole } }\n  - journal:",
                    ),
                ]),
                5,
                "1 was recorded: sts:AssumeRole from node-1 for role MyPodRole",
            ),
        ],
    ),
];
