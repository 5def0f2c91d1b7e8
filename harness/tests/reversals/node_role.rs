//! Scenarios of the profile `node-role`, in the kops chapter: what nodes and masters may do, and their pods may not.

use rstest::rstest;

use crate::reversal::Reversed::{self, Enforcement, Words};

const ES_FOR_MY_POD_ROLE: (&str, &str) = (
    "  roles: { MyPodRole: {} }\n",
    "  roles: { MyPodRole: { inline: { es: { Version: \"2012-10-17\", Statement: \
     [{ Effect: Allow, Action: \"es:*\", Resource: \"*\" }] } } } }\n",
);

const INTERCEPTION_OFF: (&str, &str) = (
    "profile: node-role\n",
    "profile: node-role\nproxy: { intercept: none }\n",
);

#[rstest]
#[case::a_master_is_denied_unless_enforcement_is_off(Enforcement, 3, "let through: enforcement is off")]
#[case::a_master_is_denied_unless_the_masters_have_the_policy_too(
    Words(&[(
        "      node: |\n",
        "      master: [{ Effect: Allow, Action: [\"es:*\"], Resource: [\"*\"] }]\n      node: |\n",
    )]),
    3,
    "additional.masters.example.cluster.k8s.local"
)]
#[case::a_pod_is_denied_unless_its_role_has_the_policy_too(Words(&[ES_FOR_MY_POD_ROLE]), 4, "inline policy es")]
#[case::a_pod_is_denied_unless_nothing_intercepts(
    Words(&[INTERCEPTION_OFF]),
    4,
    "additional.nodes.example.cluster.k8s.local"
)]
fn additional_policies_node(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kops/additional-policies-node", step, finding);
}

#[rstest]
#[case::a_node_is_denied_unless_enforcement_is_off(Enforcement, 3, "let through: enforcement is off")]
#[case::a_node_is_denied_unless_the_nodes_have_the_policy_too(
    Words(&[(
        "      master: |\n",
        "      node: [{ Effect: Allow, Action: [\"es:*\"], Resource: [\"*\"] }]\n      master: |\n",
    )]),
    3,
    "additional.nodes.example.cluster.k8s.local"
)]
#[case::a_pod_is_denied_unless_its_role_has_the_policy_too(Words(&[ES_FOR_MY_POD_ROLE]), 4, "inline policy es")]
#[case::the_denied_caller_is_the_pods_role_unless_nothing_intercepts(
    Words(&[INTERCEPTION_OFF]),
    4,
    "signed by role nodes.example.cluster.k8s.local"
)]
fn additional_policies_master(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kops/additional-policies-master", step, finding);
}

#[rstest]
#[case::s3_denies_the_node_unless_enforcement_is_off(Enforcement, 2, "let through: enforcement is off")]
#[case::s3_denies_the_node_unless_it_may_list_buckets_too(
    Words(&[("[\"sts:AssumeRole\"]", "[\"sts:AssumeRole\", \"s3:ListAllMyBuckets\"]")]),
    2,
    "additional.nodes.example.cluster.k8s.local"
)]
#[case::ec2_denies_the_node_unless_it_may_describe_regions_too(
    Words(&[("[\"sts:AssumeRole\"]", "[\"sts:AssumeRole\", \"ec2:DescribeRegions\"]")]),
    3,
    "additional.nodes.example.cluster.k8s.local"
)]
fn assume_role_is_enough(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kops/assume-role-is-enough", step, finding);
}

#[rstest]
#[case::a_role_that_trusts_the_account_is_refused_unless_enforcement_is_off(
    Enforcement,
    2,
    "let through: enforcement is off"
)]
#[case::a_role_that_trusts_the_account_is_refused_unless_the_node_may_assume_roles(
    Words(&[("cluster: { additionalPolicies: { node: [] } }", "cluster: {}")]),
    2,
    "the keys of role ByAccount"
)]
#[case::a_role_that_trusts_the_account_is_refused_unless_it_names_the_node(
    Words(&[("trust: account", "trust: node")]),
    2,
    "the keys of role ByAccount"
)]
fn node_without_assume_role(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("kops/node-without-assume-role", step, finding);
}
