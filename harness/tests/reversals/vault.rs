//! Scenarios of Vault.

use rstest::rstest;

use crate::reversal::Reversed::{self, Words};

#[rstest]
#[case::s3_is_denied_unless_the_first_role_may_read_it(
    Words(&[("Ec2Reader: { trust: user:vault-root, policies: [AmazonEC2ReadOnlyAccess] }",
             "Ec2Reader: { trust: user:vault-root, policies: [AmazonS3ReadOnlyAccess] }")]),
    1,
    "S3 allowed it"
)]
#[case::s3_opens_unless_the_pod_lives_on_with_its_old_lease(
    Words(&[("  - recreate: { pods: [aws-cli] }\n", "")]),
    3,
    "role Ec2Reader"
)]
fn switch_role(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/switch-role", step, finding);
}

#[rstest]
#[case::the_pod_is_denied_unless_the_node_may_read_s3(
    Words(&[("given:\n", "given:\n  cluster: { additionalPolicies: { node: [{ Effect: Allow, Action: \"s3:*\", Resource: \"*\" }] } }\n")]),
    1,
    "S3 allowed it"
)]
#[case::nobody_asks_vault_unless_a_pod_has_an_agent(
    Words(&[("  manifests:", "  pods: { asks: { vault_agent: readonly } }\n  manifests:"),
            ("  - journal:", "  - { as: asks, credentials: { from: agent }, save: keys }\n  - { using: keys, call: sts:GetCallerIdentity, expect: allowed }\n  - journal:")]),
    4,
    "auth/kubernetes/login"
)]
fn pod_that_never_asks(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/pod-that-never-asks", step, finding);
}

#[rstest]
#[case::s3_is_denied_unless_the_first_lease_may_read_it(
    Words(&[("readonly: { arn: \"arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess\" } }\n  pods",
             "readonly: { arn: \"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\" } }\n  pods")]),
    2,
    "S3 allowed it"
)]
#[case::s3_opens_unless_the_pod_lives_on_with_its_old_lease(
    Words(&[("  - recreate: { pods: [aws-cli] }\n", "")]),
    4,
    "AccessDenied"
)]
fn iam_user_by_credential_process(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/iam-user-by-credential-process", step, finding);
}

#[rstest]
#[case::the_key_is_kept_unless_its_lease_has_ended(
    Words(&[("  - { as: aws-cli, credentials: { from: agent }, expect: { same_key_as: first } }\n",
             "  - advance: 2m\n  - { as: aws-cli, credentials: { from: agent }, expect: { same_key_as: first } }\n")]),
    4,
    "another key"
)]
#[case::the_key_is_dead_unless_its_lease_lasts(
    Words(&[("lease: 60s, lease_max: 60s", "lease: 1h, lease_max: 1h")]),
    5,
    "S3 allowed it"
)]
fn agent_lease_ends(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/agent-lease-ends", step, finding);
}

#[rstest]
#[case::the_pod_is_refused_unless_the_role_makes_sessions(
    Words(&[("  users: { vault-root: { policies: [IAMFullAccess] } }\n",
             "  users: { vault-root: { policies: [IAMFullAccess] } }\n  roles: { Reader: { trust: user:vault-root } }\n"),
            ("readonly: { arn: \"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\" }",
             "readonly: { credential_type: assumed_role, role_arns: [\"arn:aws:iam::self:role/Reader\"] }")]),
    1,
    "the keys of role Reader"
)]
fn iam_user_through_metadata_refused(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/iam-user-through-metadata-refused", step, finding);
}

#[rstest]
#[case::the_key_stays_unless_the_proxy_starts_anew(
    Words(&[("  - { as: aws-cli, credentials: {}, expect: { same_key_as: first } }\n",
             "  - restart: proxy\n  - { as: aws-cli, credentials: {}, expect: { same_key_as: first } }\n")]),
    3,
    "another key"
)]
#[case::the_key_is_dead_unless_its_time_is_not_over(
    Words(&[("  - advance: 16m\n", "  - advance: 10m\n")]),
    4,
    "S3 allowed it"
)]
fn lease_ends(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/lease-ends", step, finding);
}

#[rstest]
#[case::nothing_is_revoked_unless_the_proxy_stops(
    Words(&[("  - { journal: \"vault:* auth/token/revoke-self\", expect: never }\n",
             "  - restart: proxy\n  - { journal: \"vault:* auth/token/revoke-self\", expect: never }\n")]),
    3,
    "auth/token/revoke-self"
)]
#[case::the_token_is_revoked_unless_the_pod_lives(
    Words(&[("  - delete: { pods: [aws-cli] }\n", "")]),
    3,
    "0 "
)]
fn pod_deleted_token_revoked(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/pod-deleted-token-revoked", step, finding);
}

#[rstest]
#[case::the_other_account_is_refused_unless_the_role_names_it(
    Words(&[("bound_service_account_names: [aws-cli]", "bound_service_account_names: [aws-cli, other]")]),
    2,
    "the keys of role Reader"
)]
#[case::the_other_namespace_is_refused_unless_the_role_names_it(
    Words(&[("bound_service_account_namespaces: [default]", "bound_service_account_namespaces: [default, team-b]")]),
    3,
    "the keys of role Reader"
)]
fn wrong_service_account_refused(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/wrong-service-account-refused", step, finding);
}

#[rstest]
#[case::the_key_stays_unless_the_proxy_starts_anew(
    Words(&[("  - inject: { vault: { sealed: true } }\n", "  - restart: proxy\n")]),
    3,
    "another key"
)]
#[case::a_new_pod_is_refused_unless_vault_is_open(
    Words(&[("  - as: late\n    credentials: {}\n    expect: { refused: true, answered_in: 1s }\n\n", ""),
            ("  - heal: vault\n", "  - heal: vault\n  - { as: late, credentials: {}, expect: refused }\n")]),
    6,
    "the keys of role Reader"
)]
fn vault_sealed(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/vault-sealed", step, finding);
}

#[rstest]
#[case::the_other_namespace_is_refused_unless_its_list_has_the_vault_role(
    Words(&[("allowed_roles: [readonly, Reader]", "allowed_roles: [\"vault:readonly\"]")]),
    2,
    "the keys of role Reader"
)]
#[case::one_login_is_enough_unless_two_pods_may_have_the_role(
    Words(&[("team-b:  { allowed_roles: [readonly, Reader] }", "team-b:  { allowed_roles: [\"vault:*\"] }"),
            ("    credentials: {}\n    expect: refused\n", "    credentials: {}\n    expect: { role: Reader }\n"),
            ("    where: { from: team-b/app }\n", "    where: { from: aws-cli }\n")]),
    4,
    "2 "
)]
fn vault_role_outside_namespace_rule(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/vault-role-outside-namespace-rule", step, finding);
}

#[rstest]
#[case::the_deployment_is_refused_unless_it_is_another_manifest(
    Words(&[("manifests: [deployment-without-selector.yaml]", "manifests: [pod-with-vault.yaml]")]),
    1,
    "it was refused for another reason"
)]
fn deployment_without_selector(#[case] fact: Reversed, #[case] step: u64, #[case] finding: &str) {
    fact.fails("vault/deployment-without-selector", step, finding);
}
