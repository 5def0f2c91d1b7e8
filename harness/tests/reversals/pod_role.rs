//! Scenarios of the profile `pod-role`: the role of a pod, and no other, comes to it.

use rstest::rstest;

use crate::reversal::Reversed::{self, Enforcement, Words};

/// No rule stands before the node's own metadata service.
const INTERCEPTION_OFF: (&str, &str) = ("profile: pod-role\n", "profile: pod-role\nproxy: { intercept: none }\n");

#[rstest]
#[case::s3_denies_a_role_without_permissions_unless_enforcement_is_off(
    Enforcement,
    2,
    "let through: enforcement is off"
)]
#[case::s3_denies_a_role_without_permissions_unless_it_has_a_policy(
    Words(&[("MyPodRole: {}", "MyPodRole: { policies: [AmazonS3ReadOnlyAccess] }")]),
    2,
    "managed policy AmazonS3ReadOnlyAccess"
)]
#[case::the_caller_is_the_pods_role_unless_nothing_intercepts(
    Words(&[INTERCEPTION_OFF, ("expect: { role: MyPodRole }", "expect: { role: node }")]),
    2,
    "signed by role nodes.example.cluster.k8s.local"
)]
fn no_permission(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/no-permission", step, finding);
}

#[rstest]
#[case::s3_denies_before_the_policy_comes_unless_enforcement_is_off(Enforcement, 2, "let through: enforcement is off")]
#[case::s3_denies_before_the_policy_comes_unless_it_is_there_already(
    Words(&[("MyPodRole: {} }\n  buckets", "MyPodRole: { policies: [AmazonS3ReadOnlyAccess] } }\n  buckets")]),
    2,
    "managed policy AmazonS3ReadOnlyAccess"
)]
#[case::s3_denies_writing_unless_the_policy_is_for_full_access(
    Words(&[("policies: [AmazonS3ReadOnlyAccess]", "policies: [AmazonS3FullAccess]")]),
    7,
    "managed policy AmazonS3FullAccess"
)]
fn attach_s3_read(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/attach-s3-read", step, finding);
}

#[rstest]
#[case::a_pod_with_a_role_is_refused_the_default_unless_it_has_no_role_of_its_own(
    Words(&[
        ("own:     { role: MyPodRole }", "own:     {}"),
        (
            "as: own, credentials: {}, expect: { role: MyPodRole }",
            "as: own, credentials: {}, expect: { role: DefaultRole }",
        ),
    ]),
    3,
    "the keys of role DefaultRole"
)]
#[case::an_unknown_pod_is_refused_unless_the_api_shows_it(
    Words(&[("hidden: true", "hidden: false")]),
    4,
    "the keys of role DefaultRole"
)]
fn default_role(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/default-role", step, finding);
}

#[rstest]
#[case::a_wrong_external_id_is_refused_unless_it_is_the_right_one(
    Words(&[("external_id: wrong", "external_id: right")]),
    2,
    "the keys of role Guarded"
)]
#[case::a_wrong_external_id_is_refused_unless_the_role_wants_none(
    Words(&[("trust: { node: { external_id: right } }", "trust: node")]),
    2,
    "the keys of role Guarded"
)]
#[case::no_external_id_is_refused_unless_the_pod_has_the_right_one(
    Words(&[("none:  { role: Guarded }", "none:  { role: Guarded, external_id: right }")]),
    3,
    "the keys of role Guarded"
)]
fn external_id(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/external-id", step, finding);
}

/// In `other-role-refused`, what the pod may have is what it then asks for.
const OTHER_ROLE_IS_ITS_OWN: (&str, &str) = ("aws-cli: { role: MyPodRole }", "aws-cli: { role: OtherRole }");
const AND_COMES: (&str, &str) = (
    "credentials: {}, expect: { role: MyPodRole }",
    "credentials: {}, expect: { role: OtherRole }",
);

#[rstest]
#[case::another_role_is_refused_unless_it_is_the_pods_own(
    Words(&[OTHER_ROLE_IS_ITS_OWN, AND_COMES]),
    2,
    "the keys of role OtherRole"
)]
#[case::another_role_is_refused_by_a_403_unless_the_pod_has_no_role(
    Words(&[
        ("aws-cli: { role: MyPodRole }", "aws-cli: {}"),
        ("credentials: {}, expect: { role: MyPodRole }", "credentials: {}, expect: refused"),
    ]),
    2,
    "404 to GET"
)]
#[case::the_path_of_another_role_is_refused_unless_it_is_the_pods_own(
    Words(&[
        OTHER_ROLE_IS_ITS_OWN,
        AND_COMES,
        ("expect: { refused: true, status: 403 }", "expect: { role: OtherRole }"),
    ]),
    3,
    "the keys of role OtherRole"
)]
#[case::the_path_of_the_nodes_role_shows_no_keys_unless_nothing_intercepts(
    Words(&[
        INTERCEPTION_OFF,
        ("credentials: {}, expect: { role: MyPodRole }", "credentials: {}, expect: { role: node }"),
        ("status: 403", "status: 404"),
        ("refused: true, no_node_credentials: true", "no_node_credentials: true"),
    ]),
    3,
    "the answer holds the node's role credentials"
)]
#[case::aws_is_never_asked_unless_a_pod_has_that_role(
    Words(&[
        ("aws-cli: { role: MyPodRole } }", "aws-cli: { role: MyPodRole }, other: { role: OtherRole } }"),
        ("  - journal:", "  - { as: other, credentials: {}, expect: { role: OtherRole } }\n  - journal:"),
    ]),
    5,
    "1 was recorded: sts:AssumeRole from node-1 for role OtherRole"
)]
fn other_role_refused(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/other-role-refused", step, finding);
}

#[rstest]
#[case::the_former_role_is_refused_unless_it_is_still_the_pods(
    Words(&[
        ("aws-cli: { role: OtherRole }", "aws-cli: { role: MyPodRole }"),
        ("expect: { role: OtherRole }", "expect: { role: MyPodRole }"),
    ]),
    4,
    "the keys of role MyPodRole"
)]
#[case::the_last_role_is_refused_unless_its_annotation_stays(
    Words(&[("role: null", "role: OtherRole")]),
    6,
    "the keys of role OtherRole"
)]
fn role_change(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/role-change", step, finding);
}

#[rstest]
#[case::the_role_is_refused_unless_it_trusts_the_node(
    Words(&[("trust: ec2", "trust: node")]),
    1,
    "the keys of role MyPodRole"
)]
#[case::the_role_is_refused_unless_nothing_intercepts(
    Words(&[INTERCEPTION_OFF]),
    1,
    "the keys of role nodes.example.cluster.k8s.local"
)]
#[case::the_path_of_the_role_is_refused_unless_it_trusts_the_node(
    Words(&[
        ("trust: ec2", "trust: node"),
        ("credentials: {}, expect: refused", "credentials: {}, expect: { role: MyPodRole }"),
    ]),
    2,
    "the keys of role MyPodRole"
)]
#[case::the_path_of_the_nodes_role_shows_no_keys_unless_nothing_intercepts(
    Words(&[
        INTERCEPTION_OFF,
        ("credentials: {}, expect: refused", "credentials: {}, expect: { role: node }"),
        ("refused: true, no_node_credentials: true", "no_node_credentials: true"),
    ]),
    2,
    "the answer holds the node's role credentials"
)]
#[case::a_call_finds_no_keys_unless_the_role_has_come_to_trust_the_node(
    Words(&[(
        "  - { as: aws-cli, call:",
        "  - apply: { roles: { MyPodRole: { trust: node } } }\n  - advance: 2s\n  - { as: aws-cli, call:",
    )]),
    5,
    "role MyPodRole, session "
)]
fn trust_without_node(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/trust-without-node", step, finding);
}

/// In `unannotated-pod`, the pod without an annotation has one.
const BARE_HAS_A_ROLE: (&str, &str) = (
    "  pods: { bare: {},",
    "  roles: { MyPodRole: {} }\n  pods: { bare: { role: MyPodRole },",
);
const BARE_HAS_A_ROLE_THAT_TRUSTS_NOBODY: (&str, &str) = (
    "  pods: { bare: {},",
    "  roles: { MyPodRole: { trust: none } }\n  pods: { bare: { role: MyPodRole },",
);

#[rstest]
#[case::a_bare_pod_is_refused_unless_it_has_a_role(Words(&[BARE_HAS_A_ROLE]), 1, "the keys of role MyPodRole")]
#[case::a_bare_pod_is_told_404_unless_it_has_a_role(Words(&[BARE_HAS_A_ROLE_THAT_TRUSTS_NOBODY]), 1, "403 to GET")]
#[case::a_blank_annotation_is_refused_unless_it_names_a_role(
    Words(&[
        ("  pods:", "  roles: { MyPodRole: {} }\n  pods:"),
        ("iam.amazonaws.com/role: \"\"", "iam.amazonaws.com/role: MyPodRole"),
    ]),
    2,
    "the keys of role MyPodRole"
)]
#[case::a_blank_annotation_is_told_404_unless_it_names_a_role(
    Words(&[
        ("  pods:", "  roles: { MyPodRole: { trust: none } }\n  pods:"),
        ("iam.amazonaws.com/role: \"\"", "iam.amazonaws.com/role: MyPodRole"),
    ]),
    2,
    "403 to GET"
)]
#[case::no_path_shows_the_nodes_keys_unless_nothing_intercepts(
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
        ("refused: true, no_node_credentials: true, status: 404", "no_node_credentials: true"),
    ]),
    3,
    "the answer holds the node's role credentials"
)]
#[case::every_path_is_answered_404_unless_the_pod_has_a_role(
    Words(&[
        BARE_HAS_A_ROLE_THAT_TRUSTS_NOBODY,
        (
            "as: bare, credentials: {}, expect: { refused: true, status: 404 }",
            "as: bare, credentials: {}, expect: { refused: true, status: 403 }",
        ),
    ]),
    3,
    "403 to GET"
)]
#[case::aws_is_never_asked_unless_a_pod_has_a_role(
    Words(&[
        ("  pods: { bare: {},", "  roles: { MyPodRole: {} }\n  pods: { own: { role: MyPodRole }, bare: {},"),
        ("  - journal:", "  - { as: own, credentials: {}, expect: { role: MyPodRole } }\n  - journal:"),
    ]),
    5,
    "1 was recorded: sts:AssumeRole from node-1 for role MyPodRole"
)]
fn unannotated_pod(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/unannotated-pod", step, finding);
}
