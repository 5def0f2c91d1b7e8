//! The base policies that kops gives its two roles, as its page on IAM roles lists them (kops `docs/iam_roles.md`): what a
//! kubelet and a control plane need of EC2, load balancers, the registry and DNS.

use serde_json::{Value, json};

/// What every node may do.
pub(super) fn node() -> Value {
    let mut statements = vec![json!({
        "Sid": "kopsK8sEC2NodePerms",
        "Effect": "Allow",
        "Action": ["ec2:DescribeInstances", "ec2:DescribeRegions"],
        "Resource": ["*"]
    })];
    statements.extend([registry(), dns()]);
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// What every master may do.
pub(super) fn master() -> Value {
    let mut statements = vec![
        json!({
            "Sid": "kopsK8sEC2MasterPerms",
            "Effect": "Allow",
            "Action": ["ec2:*"],
            "Resource": ["*"]
        }),
        json!({
            "Sid": "kopsK8sASMasterPerms",
            "Effect": "Allow",
            "Action": [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:SetDesiredCapacity",
                "autoscaling:TerminateInstanceInAutoScalingGroup",
                "autoscaling:UpdateAutoScalingGroup"
            ],
            "Resource": ["*"]
        }),
        json!({
            "Sid": "kopsK8sELBMasterPerms",
            "Effect": "Allow",
            "Action": ["elasticloadbalancing:*"],
            "Resource": ["*"]
        }),
        json!({
            "Sid": "kopsMasterCertIAMPerms",
            "Effect": "Allow",
            "Action": ["iam:ListServerCertificates", "iam:GetServerCertificate"],
            "Resource": ["*"]
        }),
        json!({
            "Sid": "kopsK8sKMSMasterPerms",
            "Effect": "Allow",
            "Action": ["kms:DescribeKey", "kms:CreateGrant", "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": ["*"]
        }),
    ];
    statements.extend([registry(), dns()]);
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn registry() -> Value {
    json!({
        "Sid": "kopsK8sECR",
        "Effect": "Allow",
        "Action": [
            "ecr:GetAuthorizationToken",
            "ecr:BatchCheckLayerAvailability",
            "ecr:GetDownloadUrlForLayer",
            "ecr:GetRepositoryPolicy",
            "ecr:DescribeRepositories",
            "ecr:ListImages",
            "ecr:BatchGetImage"
        ],
        "Resource": ["*"]
    })
}

fn dns() -> Value {
    json!({
        "Sid": "kopsK8sRoute53",
        "Effect": "Allow",
        "Action": [
            "route53:ChangeResourceRecordSets",
            "route53:ListResourceRecordSets",
            "route53:GetHostedZone",
            "route53:ListHostedZones",
            "route53:GetChange"
        ],
        "Resource": ["*"]
    })
}
