//! The names that the tests' scenarios may use.

use rolecall_scenario::Vocabulary;

/// A small AWS front.
pub(crate) fn vocabulary() -> Vocabulary<'static> {
    Vocabulary {
        operations: &operations,
        managed_policies: &POLICIES,
    }
}

const POLICIES: [&str; 7] = [
    "AdministratorAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonESFullAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
];

fn operations(service: &str) -> Option<Vec<String>> {
    let names: &[&str] = match service {
        "s3" => &[
            "CreateBucket",
            "GetObject",
            "HeadObject",
            "ListBuckets",
            "ListObjectsV2",
            "PutObject",
        ],
        "sts" => &["AssumeRole", "GetCallerIdentity"],
        "es" => &["ListDomainNames"],
        _ => return None,
    };
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}
