use std::sync::{Arc, LazyLock};

use iam_policy::{Policy, PolicyKind};
use jiff::Timestamp;

use crate::state::{Document, ManagedPolicy, PolicyVersion};

macro_rules! documents {
    ($($name:literal $version:literal),+ $(,)?) => {
        &[$(($name, $version, include_str!(concat!("../managed/", $name, ".json")))),+]
    };
}

/// The AWS-managed policies that can be attached: name, default version, document as AWS publishes it.
const DOCUMENTS: &[(&str, u32, &str)] = documents![
    "AWSKeyManagementServicePowerUser" 2,
    "AdministratorAccess" 1,
    "AmazonDynamoDBFullAccess" 15,
    "AmazonDynamoDBReadOnlyAccess" 15,
    "AmazonEC2ContainerRegistryFullAccess" 3,
    "AmazonEC2ContainerRegistryPowerUser" 3,
    "AmazonEC2ContainerRegistryReadOnly" 3,
    "AmazonEC2FullAccess" 5,
    "AmazonEC2ReadOnlyAccess" 5,
    "AmazonEKSClusterPolicy" 10,
    "AmazonEKSWorkerNodePolicy" 3,
    "AmazonEKS_CNI_Policy" 6,
    "AmazonESFullAccess" 1,
    "AmazonESReadOnlyAccess" 2,
    "AmazonElasticFileSystemReadOnlyAccess" 9,
    "AmazonOpenSearchServiceFullAccess" 1,
    "AmazonOpenSearchServiceReadOnlyAccess" 1,
    "AmazonRDSReadOnlyAccess" 7,
    "AmazonRoute53FullAccess" 7,
    "AmazonRoute53ReadOnlyAccess" 2,
    "AmazonS3FullAccess" 2,
    "AmazonS3ReadOnlyAccess" 3,
    "AmazonSNSFullAccess" 2,
    "AmazonSNSReadOnlyAccess" 2,
    "AmazonSQSFullAccess" 1,
    "AmazonSQSReadOnlyAccess" 4,
    "AmazonSSMManagedInstanceCore" 2,
    "AmazonSSMReadOnlyAccess" 1,
    "AmazonVPCReadOnlyAccess" 12,
    "CloudWatchAgentServerPolicy" 3,
    "CloudWatchFullAccess" 4,
    "CloudWatchLogsFullAccess" 8,
    "CloudWatchLogsReadOnlyAccess" 12,
    "CloudWatchReadOnlyAccess" 25,
    "IAMFullAccess" 2,
    "IAMReadOnlyAccess" 4,
    "PowerUserAccess" 12,
    "ReadOnlyAccess" 190,
    "SecretsManagerReadWrite" 6,
    "SecurityAudit" 94,
];

/// The names of the AWS-managed policies that can be attached, as `arn:aws:iam::aws:policy/NAME`.
pub fn managed_policy_names() -> Vec<&'static str> {
    DOCUMENTS.iter().map(|(name, _, _)| *name).collect()
}

/// All AWS-managed policies known here. They are read once for all accounts.
pub(crate) fn policies() -> &'static [ManagedPolicy] {
    static POLICIES: LazyLock<Vec<ManagedPolicy>> = LazyLock::new(read);
    &POLICIES
}

fn read() -> Vec<ManagedPolicy> {
    DOCUMENTS
        .iter()
        .filter_map(
            |&(name, version, text)| match Policy::parse(PolicyKind::Identity, text) {
                Ok(policy) => Some(ManagedPolicy {
                    name: name.to_owned(),
                    path: "/".to_owned(),
                    id: format!(
                        "ANPA{:X<17}",
                        name.to_ascii_uppercase().chars().take(17).collect::<String>()
                    ),
                    arn: format!("arn:aws:iam::aws:policy/{name}"),
                    created: Timestamp::UNIX_EPOCH,
                    description: None,
                    tags: Vec::new(),
                    default: PolicyVersion {
                        number: version,
                        created: Timestamp::UNIX_EPOCH,
                        document: Document {
                            text: text.into(),
                            policy: Arc::new(policy),
                        },
                    },
                    default_since: Timestamp::UNIX_EPOCH,
                    others: Vec::new(),
                    latest: version,
                }),
                Err(error) => {
                    tracing::error!(name, ?error, "an AWS-managed policy is left out: it cannot be parsed");
                    None
                }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_managed_policy_parses() {
        assert_eq!(policies().len(), DOCUMENTS.len());
    }
}
