//! Scenarios of Vault.

use super::reversal::{Fact::Words, Of, Reversal};

pub(super) const ROWS: &[Of] = &[
    Of(
        "vault/switch-role",
        &[
            Reversal(
                "S3 is denied unless the first role may read it",
                Words(&[(
                    "Ec2Reader: { trust: user:vault-root, policies: [AmazonEC2ReadOnlyAccess] }",
                    "Ec2Reader: { trust: user:vault-root, policies: [AmazonS3ReadOnlyAccess] }",
                )]),
                1,
                "S3 allowed it",
            ),
            Reversal(
                "S3 opens unless the pod lives on with its old lease",
                Words(&[("  - recreate: { pods: [aws-cli] }\n", "")]),
                3,
                "role Ec2Reader",
            ),
        ],
    ),
    Of(
        "vault/pod-that-never-asks",
        &[
            Reversal(
                "the pod is denied unless the node may read S3",
                Words(&[(
                    "given:\n",
                    "given:\n  cluster: { additionalPolicies: { node: [{ Effect: Allow, Action: \"s3:*\", Resource: \"*\" }] } }\n",
                )]),
                1,
                "S3 allowed it",
            ),
            Reversal(
                "nobody asks Vault unless a pod has an agent",
                Words(&[
                    (
                        "  manifests:",
                        "  pods: { asks: { vault_agent: readonly } }\n  manifests:",
                    ),
                    (
                        "  - journal:",
                        "  - { as: asks, credentials: { from: agent }, save: keys }\n  - { using: keys, call: sts:GetCallerIdentity, expect: allowed }\n  - journal:",
                    ),
                ]),
                4,
                "auth/kubernetes/login",
            ),
        ],
    ),
    Of(
        "vault/iam-user-by-credential-process",
        &[
            Reversal(
                "S3 is denied unless the first lease may read it",
                Words(&[(
                    "readonly: { arn: \"arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess\" } }\n  pods",
                    "readonly: { arn: \"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\" } }\n  pods",
                )]),
                2,
                "S3 allowed it",
            ),
            Reversal(
                "S3 opens unless the pod lives on with its old lease",
                Words(&[("  - recreate: { pods: [aws-cli] }\n", "")]),
                4,
                "AccessDenied",
            ),
        ],
    ),
    Of(
        "vault/agent-lease-ends",
        &[
            Reversal(
                "the key is kept unless its lease has ended",
                Words(&[(
                    "  - { as: aws-cli, credentials: { from: agent }, expect: { same_key_as: first } }\n",
                    "  - advance: 2m\n  - { as: aws-cli, credentials: { from: agent }, expect: { same_key_as: first } }\n",
                )]),
                4,
                "another key",
            ),
            Reversal(
                "the key is dead unless its lease lasts",
                Words(&[("lease: 60s, lease_max: 60s", "lease: 1h, lease_max: 1h")]),
                5,
                "S3 allowed it",
            ),
        ],
    ),
    Of(
        "vault/iam-user-through-metadata-refused",
        &[Reversal(
            "the pod is refused unless the role makes sessions",
            Words(&[
                (
                    "  users: { vault-root: { policies: [IAMFullAccess] } }\n",
                    "  users: { vault-root: { policies: [IAMFullAccess] } }\n  roles: { Reader: { trust: user:vault-root } }\n",
                ),
                (
                    "readonly: { arn: \"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\" }",
                    "readonly: { credential_type: assumed_role, role_arns: [\"arn:aws:iam::self:role/Reader\"] }",
                ),
            ]),
            1,
            "the keys of role Reader",
        )],
    ),
    Of(
        "vault/lease-ends",
        &[
            Reversal(
                "the key stays unless the proxy starts anew",
                Words(&[(
                    "  - { as: aws-cli, credentials: {}, expect: { same_key_as: first } }\n",
                    "  - restart: proxy\n  - { as: aws-cli, credentials: {}, expect: { same_key_as: first } }\n",
                )]),
                3,
                "another key",
            ),
            Reversal(
                "the key is dead unless its time is not over",
                Words(&[("  - advance: 16m\n", "  - advance: 10m\n")]),
                4,
                "S3 allowed it",
            ),
        ],
    ),
    Of(
        "vault/pod-deleted-token-revoked",
        &[
            Reversal(
                "nothing is revoked unless the proxy stops",
                Words(&[(
                    "  - { journal: \"vault:* auth/token/revoke-self\", expect: never }\n",
                    "  - restart: proxy\n  - { journal: \"vault:* auth/token/revoke-self\", expect: never }\n",
                )]),
                3,
                "auth/token/revoke-self",
            ),
            Reversal(
                "the token is revoked unless the pod lives",
                Words(&[("  - delete: { pods: [aws-cli] }\n", "")]),
                3,
                "no such request was recorded",
            ),
        ],
    ),
    Of(
        "vault/wrong-service-account-refused",
        &[
            Reversal(
                "the other account is refused unless the role names it",
                Words(&[(
                    "bound_service_account_names: [aws-cli]",
                    "bound_service_account_names: [aws-cli, other]",
                )]),
                2,
                "the keys of role Reader",
            ),
            Reversal(
                "the other namespace is refused unless the role names it",
                Words(&[(
                    "bound_service_account_namespaces: [default]",
                    "bound_service_account_namespaces: [default, team-b]",
                )]),
                3,
                "the keys of role Reader",
            ),
        ],
    ),
    Of(
        "vault/vault-sealed",
        &[
            Reversal(
                "the key stays unless the proxy starts anew",
                Words(&[("  - inject: { vault: { sealed: true } }\n", "  - restart: proxy\n")]),
                3,
                "another key",
            ),
            Reversal(
                "a new pod is refused unless Vault is open",
                Words(&[
                    (
                        "  - as: late\n    credentials: {}\n    expect: { refused: true, answered_in: 1s }\n\n",
                        "",
                    ),
                    (
                        "  - heal: vault\n",
                        "  - heal: vault\n  - { as: late, credentials: {}, expect: refused }\n",
                    ),
                ]),
                6,
                "the keys of role Reader",
            ),
        ],
    ),
    Of(
        "vault/vault-role-outside-namespace-rule",
        &[
            Reversal(
                "the other namespace is refused unless its list has the Vault role",
                Words(&[(
                    "allowed_roles: [readonly, Reader]",
                    "allowed_roles: [\"vault:readonly\"]",
                )]),
                2,
                "the keys of role Reader",
            ),
            Reversal(
                "one login is enough unless two pods may have the role",
                Words(&[
                    (
                        "team-b:  { allowed_roles: [readonly, Reader] }",
                        "team-b:  { allowed_roles: [\"vault:*\"] }",
                    ),
                    (
                        "    credentials: {}\n    expect: refused\n",
                        "    credentials: {}\n    expect: { role: Reader }\n",
                    ),
                    ("    where: { from: team-b/app }\n", "    where: { from: aws-cli }\n"),
                ]),
                4,
                "2 were recorded",
            ),
        ],
    ),
    Of(
        "vault/deployment-without-selector",
        &[Reversal(
            "the deployment is refused unless it is another manifest",
            Words(&[(
                "manifests: [deployment-without-selector.yaml]",
                "manifests: [pod-with-vault.yaml]",
            )]),
            1,
            "it was refused for another reason",
        )],
    ),
];
