use super::{S3Read, bucket::NAMESPACE};
use crate::answer::{Answer, Refusal, Xml};

/// What of a bucket or object can be read and never differs here, because nothing can set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    /// The query's parameter.
    pub(super) name: &'static str,
    pub(super) operation: &'static str,
    action: &'static str,
    says: Says,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// The root element and what is in it.
    Xml(&'static str, &'static str),
    /// There is none: status, code, message.
    Absent(u16, &'static str, &'static str),
    /// The owner has all permissions.
    Acl,
}

const fn fixed(name: &'static str, operation: &'static str, action: &'static str, says: Says) -> Fixed {
    Fixed {
        name,
        operation,
        action,
        says,
    }
}

/// As a new bucket answers (S3 API reference, the operations named).
const OF_BUCKET: &[Fixed] = &[
    fixed(
        "accelerate",
        "GetBucketAccelerateConfiguration",
        "s3:GetAccelerateConfiguration",
        Says::Xml("AccelerateConfiguration", ""),
    ),
    fixed("acl", "GetBucketAcl", "s3:GetBucketAcl", Says::Acl),
    fixed(
        "cors",
        "GetBucketCors",
        "s3:GetBucketCORS",
        Says::Absent(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    ),
    fixed(
        "encryption",
        "GetBucketEncryption",
        "s3:GetEncryptionConfiguration",
        Says::Xml(
            "ServerSideEncryptionConfiguration",
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
             </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>",
        ),
    ),
    fixed(
        "lifecycle",
        "GetBucketLifecycleConfiguration",
        "s3:GetLifecycleConfiguration",
        Says::Absent(
            404,
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
        ),
    ),
    fixed(
        "logging",
        "GetBucketLogging",
        "s3:GetBucketLogging",
        Says::Xml("BucketLoggingStatus", ""),
    ),
    fixed(
        "notification",
        "GetBucketNotificationConfiguration",
        "s3:GetBucketNotification",
        Says::Xml("NotificationConfiguration", ""),
    ),
    fixed(
        "object-lock",
        "GetObjectLockConfiguration",
        "s3:GetBucketObjectLockConfiguration",
        Says::Absent(
            404,
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
    ),
    fixed(
        "ownershipControls",
        "GetBucketOwnershipControls",
        "s3:GetBucketOwnershipControls",
        Says::Xml(
            "OwnershipControls",
            "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>",
        ),
    ),
    fixed(
        "publicAccessBlock",
        "GetPublicAccessBlock",
        "s3:GetBucketPublicAccessBlock",
        Says::Absent(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ),
    ),
    fixed(
        "replication",
        "GetBucketReplication",
        "s3:GetReplicationConfiguration",
        Says::Absent(
            404,
            "ReplicationConfigurationNotFoundError",
            "The replication configuration was not found",
        ),
    ),
    fixed(
        "requestPayment",
        "GetBucketRequestPayment",
        "s3:GetBucketRequestPayment",
        Says::Xml("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"),
    ),
    fixed(
        "versioning",
        "GetBucketVersioning",
        "s3:GetBucketVersioning",
        Says::Xml("VersioningConfiguration", ""),
    ),
    fixed(
        "website",
        "GetBucketWebsite",
        "s3:GetBucketWebsite",
        Says::Absent(
            404,
            "NoSuchWebsiteConfiguration",
            "The specified bucket does not have a website configuration",
        ),
    ),
];
const OF_OBJECT: &[Fixed] = &[fixed("acl", "GetObjectAcl", "s3:GetObjectAcl", Says::Acl)];

/// What a parameter of the query asks for.
pub(super) fn named(name: &str, of_object: bool) -> Option<Fixed> {
    let all = if of_object { OF_OBJECT } else { OF_BUCKET };
    all.iter().find(|fixed| fixed.name == name).copied()
}

pub(super) fn get(call: &mut S3Read<'_>, fixed: Fixed) -> Result<Answer, Refusal> {
    match call.route.key {
        Some(_) => {
            call.check(call.ask_object(fixed.action))?;
            let key = call.key().to_owned();
            if !call.bucket()?.objects.contains_key(&key) {
                return Err(super::object::no_key(&key));
            }
        }
        None => {
            call.check(call.ask_bucket(fixed.action))?;
            call.bucket()?;
        }
    }
    let (root, content) = match fixed.says {
        Says::Absent(status, code, message) => {
            return Err(Refusal::new(status, code, message).detail("BucketName", call.bucket_name()));
        }
        Says::Xml(root, content) => (root, content.to_owned()),
        Says::Acl => ("AccessControlPolicy", acl(call)),
    };
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} {NAMESPACE}>{content}</{root}>");
    Ok(Answer::ok("application/xml", body))
}

fn acl(call: &S3Read<'_>) -> String {
    let owner = call.owner_id();
    let mut xml = Xml::new();
    xml.element("Owner", |xml| {
        xml.text("ID", &owner);
    })
    .element("AccessControlList", |xml| {
        xml.element("Grant", |xml| {
            xml.element(
                "Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"",
                |xml| {
                    xml.text("ID", &owner);
                },
            )
            .text("Permission", "FULL_CONTROL");
        });
    });
    xml.finish()
}
