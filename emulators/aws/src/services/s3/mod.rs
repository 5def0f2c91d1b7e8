//! S3, REST with XML, path style and virtual-host style.

mod bucket;
mod copy;
mod delete_objects;
mod listing;
mod multipart;
mod object;
mod part;
mod policy;
mod route;
mod subresource;
mod tagging;
mod xml_body;

use jiff::Timestamp;

pub(crate) use bucket::taken;
pub(crate) use route::{Operation, Route};

use crate::{
    answer::{Answer, Refusal},
    auth::Payload,
    authorise::{Ask, Gate, ResourcePolicy},
    request::Received,
    state::{AccountRef, Bucket, State},
};

/// `x-amz-*` headers that are understood here or concern the transport alone. Another one asks for something that is not
/// implemented, and is refused instead of ignored.
const KNOWN_HEADERS: &[&str] = &[
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-trailer",
    "x-amz-user-agent",
];

/// One S3 operation under way.
pub(crate) struct S3Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) gate: &'a mut Gate,
    pub(crate) request: &'a Received,
    pub(crate) payload: &'a Payload,
    pub(crate) route: &'a Route,
    pub(crate) region: &'a str,
    /// The world's time, in whole seconds.
    pub(crate) now: Timestamp,
}

/// Performs an operation.
pub(crate) fn perform(call: &mut S3Call<'_>, operation: Operation) -> Result<Answer, Refusal> {
    check_headers(call, operation)?;
    match operation {
        Operation::ListBuckets => bucket::list(call),
        Operation::CreateBucket => bucket::create(call),
        Operation::HeadBucket => bucket::head(call),
        Operation::DeleteBucket => bucket::delete(call),
        Operation::GetBucketLocation => bucket::location(call),
        Operation::ListObjects => listing::list(call, listing::Version::One),
        Operation::ListObjectsV2 => listing::list(call, listing::Version::Two),
        Operation::DeleteObjects => delete_objects::delete(call),
        Operation::GetBucketTagging => tagging::get_bucket(call),
        Operation::PutBucketTagging => tagging::put_bucket(call),
        Operation::DeleteBucketTagging => tagging::delete_bucket(call),
        Operation::GetObjectTagging => tagging::get_object(call),
        Operation::PutObjectTagging => tagging::put_object(call),
        Operation::DeleteObjectTagging => tagging::delete_object(call),
        Operation::Fixed(fixed) => subresource::get(call, fixed),
        Operation::CreateMultipartUpload => multipart::create(call),
        Operation::UploadPart => part::put(call),
        Operation::UploadPartCopy => part::copy(call),
        Operation::CompleteMultipartUpload => multipart::complete(call),
        Operation::AbortMultipartUpload => multipart::abort(call),
        Operation::ListParts => part::list(call),
        Operation::ListMultipartUploads => part::list_uploads(call),
        Operation::PutBucketPolicy => policy::put(call),
        Operation::GetBucketPolicy => policy::get(call),
        Operation::DeleteBucketPolicy => policy::delete(call),
        Operation::PutObject => object::put(call),
        Operation::CopyObject => copy::copy(call),
        Operation::GetObject | Operation::HeadObject => object::get(call),
        Operation::DeleteObject => object::delete(call),
    }
}

fn check_headers(call: &S3Call<'_>, operation: Operation) -> Result<(), Refusal> {
    use Operation as O;
    for name in call.request.headers.keys().map(http::HeaderName::as_str) {
        let open = ["x-amz-meta-", "x-amz-checksum-"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let own = match operation {
            O::CopyObject => copy::HEADERS.contains(&name) || object::HEADERS.contains(&name),
            O::UploadPartCopy => name.starts_with("x-amz-copy-source"),
            O::PutObject | O::CreateMultipartUpload => object::HEADERS.contains(&name),
            O::CompleteMultipartUpload => name == "x-amz-mp-object-size",
            O::CreateBucket => ["x-amz-acl", "x-amz-object-ownership"].contains(&name),
            _ => false,
        };
        if name.starts_with("x-amz-") && !open && !own && !KNOWN_HEADERS.contains(&name) {
            return Err(not_implemented(name));
        }
    }
    let is = |name: &str, known: &[&str]| call.request.header(name).is_none_or(|value| known.contains(&value));
    if !is("x-amz-acl", &["private", "bucket-owner-full-control"]) {
        return Err(Refusal::new(
            400,
            "AccessControlListNotSupported",
            "The bucket does not allow ACLs",
        ));
    }
    for (name, known) in [
        ("x-amz-object-ownership", "BucketOwnerEnforced"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-storage-class", "STANDARD"),
    ] {
        if !is(name, &[known]) {
            return Err(not_implemented(name));
        }
    }
    match call.request.header("x-amz-expected-bucket-owner") {
        Some(expected) if call.owner().is_some_and(|owner| call.state[owner].account != expected) => {
            Err(Refusal::new(403, "AccessDenied", "Access Denied"))
        }
        _ => Ok(()),
    }
}

fn not_implemented(header: &str) -> Refusal {
    Refusal::new(
        501,
        "NotImplemented",
        "A header you provided implies functionality that is not implemented.",
    )
    .detail("Header", header)
}

// === impl S3Call ===

impl S3Call<'_> {
    /// The bucket's name. Every route but ListBuckets has one.
    fn bucket_name(&self) -> &str {
        self.route.bucket.as_deref().unwrap_or_default()
    }

    /// The object's key. Every object route has one.
    fn key(&self) -> &str {
        self.route.key.as_deref().unwrap_or_default()
    }

    /// Asks for an action on the bucket.
    fn ask_bucket(&self, action: &str) -> Ask {
        self.ask_of(action, self.bucket_name(), None)
    }

    /// Asks for an action on the object.
    fn ask_object(&self, action: &str) -> Ask {
        self.ask_of(action, self.bucket_name(), Some(self.key()))
    }

    /// Asks for an action on any bucket or object.
    fn ask_of(&self, action: &str, bucket: &str, key: Option<&str>) -> Ask {
        let arn = match key {
            None => format!("arn:aws:s3:::{bucket}"),
            Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        };
        let owner = self.owner_of(bucket).map(|owner| self.state[owner].account.as_str());
        Ask::new(action, &arn)
            .owned_by(owner)
            .resource_policy(self.policy_of(bucket))
    }

    /// The account that owns the bucket, if there is one of this name.
    fn owner(&self) -> Option<AccountRef> {
        self.owner_of(self.bucket_name())
    }

    fn owner_of(&self, bucket: &str) -> Option<AccountRef> {
        self.state.buckets.get(bucket).map(|bucket| bucket.owner)
    }

    fn policy_of(&self, bucket: &str) -> Option<ResourcePolicy> {
        let found = self.state.buckets.get(bucket)?;
        let document = found.policy.as_ref()?;
        Some(ResourcePolicy {
            name: format!("bucket policy of {bucket}"),
            policy: document.policy.clone(),
            since: found.policy_since,
        })
    }

    fn check(&mut self, ask: Ask) -> Result<(), Refusal> {
        self.gate.check(self.state, ask)
    }

    fn bucket(&mut self) -> Result<&mut Bucket, Refusal> {
        let name = self.route.bucket.as_deref().unwrap_or_default();
        self.state.buckets.get_mut(name).ok_or_else(|| {
            Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist").detail("BucketName", name)
        })
    }
}
