//! Scenarios of the profile `node-role`, in the kops chapter: what nodes and masters may do, and their pods may not.

use super::reversal::{
    Fact::{Enforcement, Words},
    Of, Reversal,
};

const ES_FOR_MY_POD_ROLE: (&str, &str) = (
    "  roles: { MyPodRole: {} }\n",
    "  roles: { MyPodRole: { inline: { es: { Version: \"2012-10-17\", Statement: \
     [{ Effect: Allow, Action: \"es:*\", Resource: \"*\" }] } } } }\n",
);

const INTERCEPTION_OFF: (&str, &str) = (
    "profile: node-role\n",
    "profile: node-role\nproxy: { intercept: none }\n",
);

pub(super) const ROWS: &[Of] = &[
    Of(
        "kops/additional-policies-node",
        &[
            Reversal(
                "a master is denied unless enforcement is off",
                Enforcement,
                3,
                "let through: enforcement is off",
            ),
            Reversal(
                "a master is denied unless the masters have the policy too",
                Words(&[(
                    "      node: |\n",
                    "      master: [{ Effect: Allow, Action: [\"es:*\"], Resource: [\"*\"] }]\n      node: |\n",
                )]),
                3,
                "additional.masters.example.cluster.k8s.local",
            ),
            Reversal(
                "a pod is denied unless its role has the policy too",
                Words(&[ES_FOR_MY_POD_ROLE]),
                4,
                "inline policy es",
            ),
            Reversal(
                "a pod is denied unless nothing intercepts",
                Words(&[INTERCEPTION_OFF]),
                4,
                "additional.nodes.example.cluster.k8s.local",
            ),
        ],
    ),
    Of(
        "kops/additional-policies-master",
        &[
            Reversal(
                "a node is denied unless enforcement is off",
                Enforcement,
                3,
                "let through: enforcement is off",
            ),
            Reversal(
                "a node is denied unless the nodes have the policy too",
                Words(&[(
                    "      master: |\n",
                    "      node: [{ Effect: Allow, Action: [\"es:*\"], Resource: [\"*\"] }]\n      master: |\n",
                )]),
                3,
                "additional.nodes.example.cluster.k8s.local",
            ),
            Reversal(
                "a pod is denied unless its role has the policy too",
                Words(&[ES_FOR_MY_POD_ROLE]),
                4,
                "inline policy es",
            ),
            Reversal(
                "the denied caller is the pod's role unless nothing intercepts",
                Words(&[INTERCEPTION_OFF]),
                4,
                "signed by role nodes.example.cluster.k8s.local",
            ),
        ],
    ),
    Of(
        "kops/assume-role-is-enough",
        &[
            Reversal(
                "S3 denies the node unless enforcement is off",
                Enforcement,
                2,
                "let through: enforcement is off",
            ),
            Reversal(
                "S3 denies the node unless it may list buckets too",
                Words(&[("[\"sts:AssumeRole\"]", "[\"sts:AssumeRole\", \"s3:ListAllMyBuckets\"]")]),
                2,
                "additional.nodes.example.cluster.k8s.local",
            ),
            Reversal(
                "EC2 denies the node unless it may describe regions too",
                Words(&[("[\"sts:AssumeRole\"]", "[\"sts:AssumeRole\", \"ec2:DescribeRegions\"]")]),
                3,
                "additional.nodes.example.cluster.k8s.local",
            ),
        ],
    ),
    Of(
        "kops/node-without-assume-role",
        &[
            Reversal(
                "a role that trusts the account is refused unless enforcement is off",
                Enforcement,
                2,
                "let through: enforcement is off",
            ),
            Reversal(
                "a role that trusts the account is refused unless the node may assume roles",
                Words(&[("cluster: { additionalPolicies: { node: [] } }", "cluster: {}")]),
                2,
                "the keys of role ByAccount",
            ),
            Reversal(
                "a role that trusts the account is refused unless it names the node",
                Words(&[("trust: account", "trust: node")]),
                2,
                "the keys of role ByAccount",
            ),
        ],
    ),
];
