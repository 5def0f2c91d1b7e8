use std::collections::HashMap;

use http::Method;

use crate::{
    answer::Refusal,
    authorise::{Ask, ResourcePolicy},
    request::Received,
    services::s3::Route,
    state::State,
    upstream::Owner,
};

/// Sub-resources of a bucket: the parameter, the operation's name without its verb, and the name in the actions of
/// reading and of writing it. What deletes one needs the action of writing, except for the policy and the website.
const OF_BUCKET: [(&str, &str, &str); 17] = [
    ("accelerate", "BucketAccelerateConfiguration", "AccelerateConfiguration"),
    ("acl", "BucketAcl", "BucketAcl"),
    ("cors", "BucketCors", "BucketCORS"),
    ("encryption", "BucketEncryption", "EncryptionConfiguration"),
    ("lifecycle", "BucketLifecycleConfiguration", "LifecycleConfiguration"),
    ("location", "BucketLocation", "BucketLocation"),
    ("logging", "BucketLogging", "BucketLogging"),
    ("notification", "BucketNotificationConfiguration", "BucketNotification"),
    (
        "object-lock",
        "ObjectLockConfiguration",
        "BucketObjectLockConfiguration",
    ),
    (
        "ownershipControls",
        "BucketOwnershipControls",
        "BucketOwnershipControls",
    ),
    ("policy", "BucketPolicy", "BucketPolicy"),
    ("policyStatus", "BucketPolicyStatus", "BucketPolicyStatus"),
    ("publicAccessBlock", "PublicAccessBlock", "BucketPublicAccessBlock"),
    ("replication", "BucketReplication", "ReplicationConfiguration"),
    ("requestPayment", "BucketRequestPayment", "BucketRequestPayment"),
    ("tagging", "BucketTagging", "BucketTagging"),
    ("versioning", "BucketVersioning", "BucketVersioning"),
];
/// Those of an object.
const OF_OBJECT: [(&str, &str); 4] = [
    ("acl", "Acl"),
    ("legal-hold", "LegalHold"),
    ("retention", "Retention"),
    ("tagging", "Tagging"),
];
/// The website of a bucket, whose deletion is an action of its own.
const WEBSITE: &str = "website";
/// Parameters that change nothing about who may ask.
const NEUTRAL: [&str; 21] = [
    "prefix",
    "delimiter",
    "max-keys",
    "encoding-type",
    "marker",
    "continuation-token",
    "start-after",
    "fetch-owner",
    "list-type",
    "x-id",
    "key-marker",
    "version-id-marker",
    "upload-id-marker",
    "max-uploads",
    "max-parts",
    "part-number-marker",
    "partNumber",
    "max-buckets",
    "bucket-region",
    "uploadId",
    "versionId",
];

/// What of a request the actions are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Everything,
    Bucket,
    Object,
    /// An object that is copied.
    Source(String, String),
}

/// An operation of S3, and all that its caller must be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) actions: Vec<(String, On)>,
}

// === impl Operation ===

impl Operation {
    fn new(name: impl Into<String>, action: impl Into<String>, on: On) -> Self {
        Self {
            name: name.into(),
            actions: vec![(action.into(), on)],
        }
    }

    /// Which operation a request is, and whether its headers make sense for it; none for what S3 does not have.
    pub(crate) fn of(request: &Received, route: &Route) -> Option<Result<Self, Refusal>> {
        let parameter = |name: &str| route.param(name).is_some();
        let sub: Vec<&str> = route
            .query
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| {
                let neutral = NEUTRAL.contains(name) || name.starts_with("response-");
                !neutral && !name.to_ascii_lowercase().starts_with("x-amz-")
            })
            .collect();
        let version = if parameter("versionId") { "Version" } else { "" };
        let method = request.method.as_str();
        let mut found = match (&route.bucket, &route.key, sub.as_slice()) {
            (None, None, []) if request.method == Method::GET => {
                Self::new("ListBuckets", "s3:ListAllMyBuckets", On::Everything)
            }
            (Some(_), None, []) => match method {
                "GET" if route.param("list-type") == Some("2") => {
                    Self::new("ListObjectsV2", "s3:ListBucket", On::Bucket)
                }
                "GET" => Self::new("ListObjects", "s3:ListBucket", On::Bucket),
                "HEAD" => Self::new("HeadBucket", "s3:ListBucket", On::Bucket),
                "PUT" => Self::new("CreateBucket", "s3:CreateBucket", On::Bucket),
                "DELETE" => Self::new("DeleteBucket", "s3:DeleteBucket", On::Bucket),
                _ => return None,
            },
            (Some(_), None, ["versions"]) if method == "GET" => {
                Self::new("ListObjectVersions", "s3:ListBucketVersions", On::Bucket)
            }
            (Some(_), None, ["uploads"]) if method == "GET" => {
                Self::new("ListMultipartUploads", "s3:ListBucketMultipartUploads", On::Bucket)
            }
            // Which objects, its body tells.
            (Some(_), None, ["delete"]) if method == "POST" => Self {
                name: "DeleteObjects".to_owned(),
                actions: Vec::new(),
            },
            (Some(_), None, [sub]) => Self::of_bucket(method, sub)?,
            (Some(_), Some(_), []) if parameter("uploadId") => match method {
                "GET" => Self::new("ListParts", "s3:ListMultipartUploadParts", On::Object),
                "PUT" if parameter("partNumber") => Self::new("UploadPart", "s3:PutObject", On::Object),
                "POST" => Self::new("CompleteMultipartUpload", "s3:PutObject", On::Object),
                "DELETE" => Self::new("AbortMultipartUpload", "s3:AbortMultipartUpload", On::Object),
                _ => return None,
            },
            (Some(_), Some(_), []) => match method {
                "GET" => Self::new("GetObject", format!("s3:GetObject{version}"), On::Object),
                "HEAD" => Self::new("HeadObject", format!("s3:GetObject{version}"), On::Object),
                "PUT" => Self::new("PutObject", "s3:PutObject", On::Object),
                "DELETE" => Self::new("DeleteObject", format!("s3:DeleteObject{version}"), On::Object),
                _ => return None,
            },
            (Some(_), Some(_), ["uploads"]) if method == "POST" => {
                Self::new("CreateMultipartUpload", "s3:PutObject", On::Object)
            }
            (Some(_), Some(_), ["attributes"]) if method == "GET" => Self {
                name: "GetObjectAttributes".to_owned(),
                actions: vec![
                    (format!("s3:GetObject{version}"), On::Object),
                    (format!("s3:GetObject{version}Attributes"), On::Object),
                ],
            },
            (Some(_), Some(_), [sub]) => Self::of_object(method, sub, version)?,
            _ => return None,
        };
        let copies_something = found.add_headers(request);
        Some(copies_something.map(|()| found).ok_or_else(|| {
            Refusal::new(
                400,
                "InvalidArgument",
                "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            )
        }))
    }

    fn of_bucket(method: &str, sub: &str) -> Option<Self> {
        if sub == WEBSITE {
            let verb = verb(method)?;
            return Some(Self::new(
                format!("{verb}BucketWebsite"),
                format!("s3:{verb}BucketWebsite"),
                On::Bucket,
            ));
        }
        let (_, name, action) = OF_BUCKET.iter().find(|(parameter, ..)| *parameter == sub)?;
        let verb = verb(method)?;
        let asked = match verb {
            "Delete" if sub != "policy" => "Put",
            verb => verb,
        };
        Some(Self::new(
            format!("{verb}{name}"),
            format!("s3:{asked}{action}"),
            On::Bucket,
        ))
    }

    fn of_object(method: &str, sub: &str, version: &str) -> Option<Self> {
        let (_, what) = OF_OBJECT.iter().find(|(parameter, _)| *parameter == sub)?;
        let verb = verb(method)?;
        // Retention and legal hold have no actions of their own for versions.
        let version = if ["acl", "tagging"].contains(&sub) { version } else { "" };
        Some(Self::new(
            format!("{verb}Object{what}"),
            format!("s3:{verb}Object{version}{what}"),
            On::Object,
        ))
    }

    /// What the headers ask for besides: a source to copy, tags, an access control list.
    fn add_headers(&mut self, request: &Received) -> Option<()> {
        let writes = ["PutObject", "CreateMultipartUpload"].contains(&self.name.as_str());
        if let Some(header) = request.headers.get("x-amz-copy-source") {
            match self.name.as_str() {
                "PutObject" => "CopyObject".clone_into(&mut self.name),
                "UploadPart" => "UploadPartCopy".clone_into(&mut self.name),
                _ => return None,
            }
            let (bucket, key, version) = source(header.to_str().ok()?)?;
            let action = if version { "s3:GetObjectVersion" } else { "s3:GetObject" };
            self.actions.insert(0, (action.to_owned(), On::Source(bucket, key)));
        }
        let headers = || request.headers.keys().map(http::HeaderName::as_str);
        if writes && headers().any(|name| name == "x-amz-tagging") {
            self.actions.push(("s3:PutObjectTagging".to_owned(), On::Object));
        }
        let grants = |name: &str| name == "x-amz-acl" || name.starts_with("x-amz-grant-");
        if writes && headers().any(grants) {
            self.actions.push(("s3:PutObjectAcl".to_owned(), On::Object));
        }
        if writes && headers().any(|name| name == "x-amz-object-lock-mode") {
            self.actions.push(("s3:PutObjectRetention".to_owned(), On::Object));
        }
        if writes && headers().any(|name| name == "x-amz-object-lock-legal-hold") {
            self.actions.push(("s3:PutObjectLegalHold".to_owned(), On::Object));
        }
        Some(())
    }

    /// The question about one of its actions.
    pub(crate) fn ask(
        &self,
        state: &State,
        route: &Route,
        action: &str,
        on: &On,
        owners: &HashMap<String, Owner>,
    ) -> Ask {
        let bucket = route.bucket.as_deref().unwrap_or_default();
        let owner = |bucket: &str| owners.get(bucket).copied();
        let mut asked = match on {
            On::Everything => return Ask::new(action, "arn:aws:s3:::*").shown(""),
            // What is asked for is the caller's own new bucket, also if another account has one of this name.
            On::Bucket if self.name == "CreateBucket" => return Ask::new(action, format!("arn:aws:s3:::{bucket}")),
            On::Bucket => ask(state, action, bucket, None, owner(bucket)),
            On::Object => ask(state, action, bucket, route.key.as_deref(), owner(bucket)),
            On::Source(bucket, key) => ask(state, action, bucket, Some(key), owner(bucket)),
        };
        for (parameter, key) in [
            ("prefix", "s3:prefix"),
            ("delimiter", "s3:delimiter"),
            ("max-keys", "s3:max-keys"),
            ("versionId", "s3:VersionId"),
        ] {
            if let Some(value) = route.param(parameter) {
                asked = asked.context(key, value);
            }
        }
        asked
    }

    /// The buckets whose owner and policy decide.
    pub(crate) fn buckets<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a str> {
        let sources = self.actions.iter().filter_map(|(_, on)| match on {
            On::Source(bucket, _) => Some(bucket.as_str()),
            _ => None,
        });
        route.bucket.as_deref().into_iter().chain(sources)
    }
}

fn verb(method: &str) -> Option<&'static str> {
    match method {
        "GET" => Some("Get"),
        "PUT" => Some("Put"),
        "DELETE" => Some("Delete"),
        _ => None,
    }
}

/// `BUCKET/KEY[?versionId=…]`, percent-encoded, with or without a slash before it.
fn source(header: &str) -> Option<(String, String, bool)> {
    let (path, query) = header.split_once('?').unwrap_or((header, ""));
    let text = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    let text = text.strip_prefix('/').unwrap_or(&text);
    let (bucket, key) = text.split_once('/').filter(|(_, key)| !key.is_empty())?;
    Some((bucket.to_owned(), key.to_owned(), query.contains("versionId=")))
}

/// The question about an action on a bucket or one of its objects.
pub(crate) fn ask(state: &State, action: &str, bucket: &str, key: Option<&str>, owner: Option<Owner>) -> Ask {
    let arn = match key {
        None => format!("arn:aws:s3:::{bucket}"),
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
    };
    let found = state.buckets.get(bucket);
    let account = match found {
        Some(found) => Some(state[found.owner].account.as_str()),
        // No account of the front has this number, so that nobody's own policies suffice.
        None if owner == Some(Owner::Stranger) => Some("unknown"),
        None => None,
    };
    let policy = found.and_then(|found| {
        Some(ResourcePolicy {
            name: format!("bucket policy of {bucket}"),
            policy: found.policy.as_ref()?.policy.clone(),
            since: found.policy_since,
        })
    });
    Ask::new(action, &arn).owned_by(account).resource_policy(policy)
}

/// S3's rules for the names of buckets. Nothing else may become the first part of a path: the upstream has an interface of
/// its own below names that are none.
pub(crate) fn is_bucket_name(name: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (3..=63).contains(&name.len())
        && end(name.chars().next())
        && end(name.chars().next_back())
        && !name.contains("..")
        // By this path the upstream means S3 Control.
        && name != "v20180820"
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-')
}
