//! Scenarios of the profile `namespace`: what a namespace's list of allowed roles refuses.

use rstest::rstest;

use crate::reversal::Reversed::{self, Words};

const RESTRICTION_OFF: (&str, &str) = ("namespace_restrictions: true", "namespace_restrictions: false");

#[rstest]
#[case::a_role_not_listed_is_refused_unless_the_restriction_is_off(
    Words(&[RESTRICTION_OFF]),
    2,
    "trust policy of OtherRole"
)]
#[case::aws_is_never_asked_unless_the_restriction_is_off(
    Words(&[RESTRICTION_OFF, ("OtherRole: {}", "OtherRole: { trust: none }")]),
    3,
    "1 was recorded: sts:AssumeRole from node-1 for role OtherRole"
)]
fn namespace_restriction(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/namespace-restriction", step, finding);
}

#[rstest]
#[case::the_flag_refuses_a_role_not_listed_unless_it_stays_off(
    Words(&[RESTRICTION_OFF]),
    4,
    "the keys of role OtherRole"
)]
#[case::the_flag_refuses_a_role_unless_it_is_listed(
    Words(&[("allowed_roles: [MyPodRole]", "allowed_roles: [MyPodRole, OtherRole]")]),
    4,
    "the keys of role OtherRole"
)]
fn namespace_restriction_off(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/namespace-restriction-off", step, finding);
}

#[rstest]
#[case::the_template_refuses_the_pods_role_unless_the_restriction_is_off(
    Words(&[RESTRICTION_OFF]),
    1,
    "the keys of role MyPodRole"
)]
#[case::the_template_refuses_the_pods_role_unless_it_names_it(
    Words(&[("role/nodes.example.cluster.k8s.local", "role/MyPodRole")]),
    1,
    "the keys of role MyPodRole"
)]
#[case::aws_is_never_asked_unless_the_restriction_is_off(
    Words(&[RESTRICTION_OFF, ("expect: refused", "expect: { role: MyPodRole }")]),
    2,
    "1 was recorded: sts:AssumeRole from node-1 for role MyPodRole"
)]
fn namespace_template_verbatim(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kube2iam/namespace-template-verbatim", step, finding);
}

/// Each malformed list becomes the well-formed one next to it; then its namespace hands out the role.
#[rstest]
#[case::an_unclosed_list(r#"'["MyPodRole"'"#, r#"'["MyPodRole"]'"#, 1)]
#[case::a_list_with_a_number(r#"'["MyPodRole", 1]'"#, r#"'["MyPodRole", "1"]'"#, 2)]
#[case::a_bare_word(r#"allowed-roles: "MyPodRole""#, r#"allowed-roles: '["MyPodRole"]'"#, 3)]
#[case::a_string(r#"'"MyPodRole"'"#, r#"'["MyPodRole"]'"#, 4)]
#[case::a_list_of_a_blank_entry(r#"'[""]'"#, r#"'["MyPodRole"]'"#, 5)]
#[case::an_empty_list(r#""[]""#, r#"'["*"]'"#, 6)]
#[case::an_empty_annotation(r#"allowed-roles: "" }"#, r#"allowed-roles: '["My*"]' }"#, 7)]
#[case::no_annotation("unlabeled: {}", "unlabeled: { allowed_roles: [MyPodRole] }", 8)]
fn namespace_annotation_malformed_allows_nothing_unless_it_can_be_read(
    #[case] malformed: &'static str,
    #[case] well_formed: &'static str,
    #[case] step: u64,
) {
    let words: &'static [_] = Box::leak(Box::new([(malformed, well_formed)]));
    Words(words).fails(
        "kube2iam/namespace-annotation-malformed",
        step,
        "the keys of role MyPodRole",
    );
}

#[test]
fn namespace_annotation_malformed_never_asks_aws_unless_one_can_be_read() {
    let words = Words(&[
        ("unlabeled: {}", "unlabeled: { allowed_roles: [MyPodRole] }"),
        (
            "as: unlabeled/app, credentials: {}, expect: refused, throughout: 50ms",
            "as: unlabeled/app, credentials: {}, expect: { role: MyPodRole }",
        ),
    ]);
    words.fails(
        "kube2iam/namespace-annotation-malformed",
        10,
        "1 was recorded: sts:AssumeRole from node-1 for role MyPodRole",
    );
}
