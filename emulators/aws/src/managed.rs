use std::sync::Arc;

use iam_policy::{Policy, PolicyKind};
use jiff::Timestamp;

use crate::state::{Document, ManagedPolicy, PolicyVersion};

/// The AWS-managed policies that can be attached: name, default version, document as AWS publishes it.
const DOCUMENTS: &[(&str, u32, &str)] = &[
    (
        "AdministratorAccess",
        1,
        include_str!("../managed/AdministratorAccess.json"),
    ),
    (
        "AmazonEC2ReadOnlyAccess",
        2,
        include_str!("../managed/AmazonEC2ReadOnlyAccess.json"),
    ),
    (
        "AmazonESFullAccess",
        1,
        include_str!("../managed/AmazonESFullAccess.json"),
    ),
    (
        "AmazonS3FullAccess",
        2,
        include_str!("../managed/AmazonS3FullAccess.json"),
    ),
    (
        "AmazonS3ReadOnlyAccess",
        3,
        include_str!("../managed/AmazonS3ReadOnlyAccess.json"),
    ),
    ("IAMFullAccess", 2, include_str!("../managed/IAMFullAccess.json")),
    (
        "IAMReadOnlyAccess",
        4,
        include_str!("../managed/IAMReadOnlyAccess.json"),
    ),
];

/// The names of the AWS-managed policies that can be attached, as `arn:aws:iam::aws:policy/NAME`.
pub fn managed_policy_names() -> Vec<&'static str> {
    DOCUMENTS.iter().map(|(name, _, _)| *name).collect()
}

/// All AWS-managed policies known here.
pub(crate) fn policies() -> Vec<ManagedPolicy> {
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
                            text: text.to_owned(),
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
