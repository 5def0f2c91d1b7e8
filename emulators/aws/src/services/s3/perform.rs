use std::ops::Deref;

use super::{
    Operation, Read, S3Call, S3Read, bucket, copy, delete_objects, listing, multipart, object, operation::Write as W,
    part, policy, subresource, tagging,
};
use crate::{
    answer::{Answer, Refusal},
    state::State,
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

/// Performs an operation.
pub(crate) fn perform(call: &mut S3Call<'_>, operation: Operation) -> Result<Answer, Refusal> {
    let write = match operation {
        Operation::Read(operation) => return read(&mut call.reading(), operation),
        Operation::Write(write) => write,
    };
    check_headers(call, operation)?;
    match write {
        W::CreateBucket => bucket::create(call),
        W::DeleteBucket => bucket::delete(call),
        W::DeleteObjects => delete_objects::delete(call),
        W::PutBucketTagging => tagging::put_bucket(call),
        W::DeleteBucketTagging => tagging::delete_bucket(call),
        W::PutObjectTagging => tagging::put_object(call),
        W::DeleteObjectTagging => tagging::delete_object(call),
        W::CreateMultipartUpload => multipart::create(call),
        W::UploadPart => part::put(call),
        W::UploadPartCopy => part::copy(call),
        W::CompleteMultipartUpload => multipart::complete(call),
        W::AbortMultipartUpload => multipart::abort(call),
        W::PutBucketPolicy => policy::put(call),
        W::DeleteBucketPolicy => policy::delete(call),
        W::PutObject => object::put(call),
        W::CopyObject => copy::copy(call),
        W::DeleteObject => object::delete(call),
    }
}

/// Performs an operation that changes nothing.
pub(crate) fn read(call: &mut S3Read<'_>, operation: Read) -> Result<Answer, Refusal> {
    check_headers(call, operation.into())?;
    match operation {
        Read::ListBuckets => bucket::list(call),
        Read::HeadBucket => bucket::head(call),
        Read::GetBucketLocation => bucket::location(call),
        Read::ListObjects => listing::list(call, listing::Version::One),
        Read::ListObjectsV2 => listing::list(call, listing::Version::Two),
        Read::GetBucketTagging => tagging::get_bucket(call),
        Read::GetObjectTagging => tagging::get_object(call),
        Read::Fixed(fixed) => subresource::get(call, fixed),
        Read::ListParts => part::list(call),
        Read::ListMultipartUploads => part::list_uploads(call),
        Read::GetBucketPolicy => policy::get(call),
        Read::GetObject | Read::HeadObject => object::get(call),
    }
}

fn check_headers<S: Deref<Target = State>>(call: &S3Call<'_, S>, operation: Operation) -> Result<(), Refusal> {
    for name in call.request.headers.keys().map(http::HeaderName::as_str) {
        let open = ["x-amz-meta-", "x-amz-checksum-"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let own = match operation {
            Operation::Write(W::CopyObject) => copy::HEADERS.contains(&name) || object::HEADERS.contains(&name),
            Operation::Write(W::UploadPartCopy) => name.starts_with("x-amz-copy-source"),
            Operation::Write(W::PutObject | W::CreateMultipartUpload) => object::HEADERS.contains(&name),
            Operation::Write(W::CompleteMultipartUpload) => name == "x-amz-mp-object-size",
            Operation::Write(W::CreateBucket) => ["x-amz-acl", "x-amz-object-ownership"].contains(&name),
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
