//! The AWS operations that a probe can call, without the clients that call them: a scenario's checker reads this table
//! to refuse what nobody could run.

/// An AWS operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `service:Operation` in the API's own names.
    pub name: &'static str,
    /// What it takes.
    pub with: &'static [Parameter],
}

/// A parameter of an [`Operation`]. Values are strings; numbers and booleans are taken as their text, and where a policy
/// is due, a JSON object as the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in `with`.
    pub name: &'static str,
    /// Whether the call is nothing without it.
    pub required: bool,
}

const BUCKET: Parameter = required("bucket");
const KEY: Parameter = required("key");

const OPERATIONS: &[Operation] = &[
    op("s3:ListBuckets", &[]),
    op("s3:CreateBucket", &[BUCKET]),
    op("s3:ListObjectsV2", &[BUCKET, optional("prefix"), optional("delimiter")]),
    op("s3:GetObject", &[BUCKET, KEY]),
    op("s3:PutObject", &[BUCKET, KEY, optional("body")]),
    op("s3:HeadObject", &[BUCKET, KEY]),
    op("s3:DeleteObject", &[BUCKET, KEY]),
    op("sts:GetCallerIdentity", &[]),
    op(
        "sts:AssumeRole",
        &[
            required("role_arn"),
            // The API demands one; without it the probe sends `rolecall`.
            optional("role_session_name"),
            optional("external_id"),
            optional("duration_seconds"),
            optional("policy"),
            optional("source_identity"),
        ],
    ),
    op("iam:ListRoles", &[optional("path_prefix")]),
    op("iam:GetRole", &[required("role_name")]),
    op("iam:GetInstanceProfile", &[required("instance_profile_name")]),
    op("iam:ListUsers", &[optional("path_prefix")]),
    op("es:ListDomainNames", &[]),
    op("opensearch:ListDomainNames", &[]),
    op("ec2:DescribeInstances", &[]),
    op("ec2:DescribeRegions", &[]),
];

/// Every operation that a probe can call.
pub fn operations() -> &'static [Operation] {
    OPERATIONS
}

/// The operation of this name, exactly as spelled.
pub fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|known| known.name == name)
}

const fn op(name: &'static str, with: &'static [Parameter]) -> Operation {
    Operation { name, with }
}

const fn required(name: &'static str) -> Parameter {
    Parameter { name, required: true }
}

const fn optional(name: &'static str) -> Parameter {
    Parameter { name, required: false }
}
