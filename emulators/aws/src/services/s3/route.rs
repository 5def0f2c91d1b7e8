use http::Method;
use percent_encoding::percent_decode_str;

use super::subresource::{self, Fixed};
use crate::{answer::Refusal, request::Received, state::State};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    ListBuckets,
    CreateBucket,
    HeadBucket,
    DeleteBucket,
    GetBucketLocation,
    ListObjects,
    ListObjectsV2,
    PutBucketPolicy,
    GetBucketPolicy,
    DeleteBucketPolicy,
    PutObject,
    CopyObject,
    GetObject,
    HeadObject,
    DeleteObject,
    DeleteObjects,
    GetBucketTagging,
    PutBucketTagging,
    DeleteBucketTagging,
    GetObjectTagging,
    PutObjectTagging,
    DeleteObjectTagging,
    CreateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListParts,
    ListMultipartUploads,
    /// What always answers alike.
    Fixed(Fixed),
}

/// What a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// None for what is not served.
    pub(crate) operation: Option<Operation>,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    /// The query's parameters, decoded.
    pub(crate) query: Vec<(String, String)>,
}

/// Parameters that change nothing of what an operation does.
const NEUTRAL: &[&str] = &["x-id"];

/// Those of GetObject and HeadObject.
const READ: &[&str] = &[
    "versionId",
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

// === impl Route ===

impl Route {
    /// Reads host, path and query.
    ///
    /// # Errors
    /// A path that does not decode to UTF-8.
    pub(crate) fn of(request: &Received, state: &State) -> Result<Self, Refusal> {
        let query: Vec<(String, String)> = form_urlencoded::parse(request.query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let path = request.path.strip_prefix('/').unwrap_or(&request.path);
        let (bucket, key) = match host_bucket(request, &query, state) {
            Some(bucket) => (Some(bucket), decode(path)?),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (Some(decode(bucket)?).filter(|bucket| !bucket.is_empty()), decode(key)?)
            }
        };
        let mut route = Self {
            operation: None,
            bucket,
            key: Some(key).filter(|key| !key.is_empty()),
            query,
        };
        let copies = request.headers.contains_key("x-amz-copy-source");
        route.operation = route.operation(&request.method, copies);
        Ok(route)
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// `copies`: the object is to be made of another one.
    fn operation(&self, method: &Method, copies: bool) -> Option<Operation> {
        use Operation as O;
        let has = |name: &str| self.query.iter().any(|(n, _)| n == name);
        let fixed = |of_object| {
            self.query
                .iter()
                .find_map(|(name, _)| subresource::named(name, of_object))
        };
        let one;
        let (operation, params): (O, &[&str]) = match (&self.bucket, &self.key, method.as_str()) {
            (None, _, "GET") => (
                O::ListBuckets,
                &["max-buckets", "prefix", "continuation-token", "bucket-region"],
            ),
            (Some(_), None, "GET") if has("policy") => (O::GetBucketPolicy, &["policy"]),
            (Some(_), None, "PUT") if has("policy") => (O::PutBucketPolicy, &["policy"]),
            (Some(_), None, "DELETE") if has("policy") => (O::DeleteBucketPolicy, &["policy"]),
            (Some(_), None, "POST") if has("delete") => (O::DeleteObjects, &["delete"]),
            (Some(_), None, "GET") if has("tagging") => (O::GetBucketTagging, &["tagging"]),
            (Some(_), None, "PUT") if has("tagging") => (O::PutBucketTagging, &["tagging"]),
            (Some(_), None, "DELETE") if has("tagging") => (O::DeleteBucketTagging, &["tagging"]),
            (Some(_), None, "GET") if has("uploads") => (
                O::ListMultipartUploads,
                &[
                    "uploads",
                    "prefix",
                    "delimiter",
                    "max-uploads",
                    "key-marker",
                    "upload-id-marker",
                ],
            ),
            (Some(_), Some(_), "GET") if has("tagging") => (O::GetObjectTagging, &["tagging"]),
            (Some(_), Some(_), "PUT") if has("tagging") => (O::PutObjectTagging, &["tagging"]),
            (Some(_), Some(_), "DELETE") if has("tagging") => (O::DeleteObjectTagging, &["tagging"]),
            (Some(_), Some(_), "POST") if has("uploads") => (O::CreateMultipartUpload, &["uploads"]),
            (Some(_), Some(_), "PUT") if has("uploadId") && copies => (O::UploadPartCopy, &["uploadId", "partNumber"]),
            (Some(_), Some(_), "PUT") if has("uploadId") => (O::UploadPart, &["uploadId", "partNumber"]),
            (Some(_), Some(_), "POST") if has("uploadId") => (O::CompleteMultipartUpload, &["uploadId"]),
            (Some(_), Some(_), "DELETE") if has("uploadId") => (O::AbortMultipartUpload, &["uploadId"]),
            (Some(_), Some(_), "GET") if has("uploadId") => {
                (O::ListParts, &["uploadId", "max-parts", "part-number-marker"])
            }
            (Some(_), key, "GET") if fixed(key.is_some()).is_some() => {
                let fixed = fixed(key.is_some())?;
                one = [fixed.name];
                (O::Fixed(fixed), &one)
            }
            (Some(_), None, "GET") if has("location") => (O::GetBucketLocation, &["location"]),
            (Some(_), None, "GET") if self.param("list-type") == Some("2") => (
                O::ListObjectsV2,
                &[
                    "list-type",
                    "prefix",
                    "delimiter",
                    "max-keys",
                    "encoding-type",
                    "continuation-token",
                    "start-after",
                    "fetch-owner",
                ],
            ),
            (Some(_), None, "GET") => (
                O::ListObjects,
                &["prefix", "delimiter", "max-keys", "encoding-type", "marker"],
            ),
            (Some(_), None, "PUT") => (O::CreateBucket, &[]),
            (Some(_), None, "HEAD") => (O::HeadBucket, &[]),
            (Some(_), None, "DELETE") => (O::DeleteBucket, &[]),
            (Some(_), Some(_), "PUT") if copies => (O::CopyObject, &[]),
            (Some(_), Some(_), "PUT") => (O::PutObject, &[]),
            (Some(_), Some(_), "GET") => (O::GetObject, READ),
            (Some(_), Some(_), "HEAD") => (O::HeadObject, READ),
            (Some(_), Some(_), "DELETE") => (O::DeleteObject, &["versionId"]),
            _ => return None,
        };
        // A parameter that is not understood (?acl, ?uploads, ?versionId) makes it another operation, never this one.
        let understood = |name: &str, value: &str| {
            // Nothing has versions here; what has none has the version `null`.
            params.contains(&name) && (name != "versionId" || value == "null")
                || NEUTRAL.contains(&name)
                || name.to_ascii_lowercase().starts_with("x-amz-")
        };
        let all = self.query.iter().all(|(name, value)| understood(name, value));
        all.then_some(operation)
    }
}

// === impl Operation ===

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ListBuckets => "ListBuckets",
            Self::CreateBucket => "CreateBucket",
            Self::HeadBucket => "HeadBucket",
            Self::DeleteBucket => "DeleteBucket",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::PutBucketPolicy => "PutBucketPolicy",
            Self::GetBucketPolicy => "GetBucketPolicy",
            Self::DeleteBucketPolicy => "DeleteBucketPolicy",
            Self::PutObject => "PutObject",
            Self::CopyObject => "CopyObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::DeleteObject => "DeleteObject",
            Self::DeleteObjects => "DeleteObjects",
            Self::GetBucketTagging => "GetBucketTagging",
            Self::PutBucketTagging => "PutBucketTagging",
            Self::DeleteBucketTagging => "DeleteBucketTagging",
            Self::GetObjectTagging => "GetObjectTagging",
            Self::PutObjectTagging => "PutObjectTagging",
            Self::DeleteObjectTagging => "DeleteObjectTagging",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::UploadPartCopy => "UploadPartCopy",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListParts => "ListParts",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::Fixed(fixed) => fixed.operation,
        }
    }
}

pub(super) fn decode(text: &str) -> Result<String, Refusal> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Refusal::new(400, "InvalidURI", "Couldn't parse the specified URI."))
}

/// The bucket in the host: `BUCKET.s3.…`, or the part of any other name before its first dot if that is a bucket or the
/// request makes sense for a bucket only. An address and a name without dots hold none.
fn host_bucket(request: &Received, query: &[(String, String)], state: &State) -> Option<String> {
    let host = request.header("host")?;
    if host.starts_with('[') {
        return None;
    }
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with("s3.") || host.starts_with("s3-") {
        return None;
    }
    if let Some(at) = host.find(".s3.").or_else(|| host.find(".s3-")) {
        return Some(host[..at].to_owned());
    }
    if let Some(bucket) = host.strip_suffix(".localhost") {
        return Some(bucket.strip_suffix(".s3").unwrap_or(bucket).to_owned());
    }
    // A bucket's name may have dots itself: the longest that exists is meant.
    let known = host
        .match_indices('.')
        .rev()
        .map(|(at, _)| &host[..at])
        .find(|name| state.buckets.contains_key(*name));
    if let Some(bucket) = known {
        return Some(bucket.to_owned());
    }
    let (first, _) = host.split_once('.')?;
    let for_bucket = request.method != Method::GET || query.iter().any(|(name, _)| name == "list-type");
    (request.path == "/" && for_bucket).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use jiff::Timestamp;
    use rolecall_clock::Clock;
    use rstest::rstest;

    use super::*;
    use crate::{AccessKey, Door, Enforcement, Settings};

    #[rstest]
    #[case::path(
        "GET",
        "127.0.0.1:4566",
        "/reports/a%20b",
        "",
        Some(Operation::GetObject),
        Some("reports"),
        Some("a b")
    )]
    #[case::all(
        "GET",
        "aws.local:4566",
        "/",
        "x-id=ListBuckets",
        Some(Operation::ListBuckets),
        None,
        None
    )]
    #[case::s3_host(
        "GET",
        "s3.us-east-1.amazonaws.com",
        "/",
        "",
        Some(Operation::ListBuckets),
        None,
        None
    )]
    #[case::virtual_s3(
        "GET",
        "a.b.s3.us-east-1.amazonaws.com",
        "/k",
        "",
        Some(Operation::GetObject),
        Some("a.b"),
        Some("k")
    )]
    #[case::virtual_other("PUT", "new.aws.local", "/", "", Some(Operation::CreateBucket), Some("new"), None)]
    #[case::virtual_v2(
        "GET",
        "new.aws.local",
        "/",
        "list-type=2",
        Some(Operation::ListObjectsV2),
        Some("new"),
        None
    )]
    #[case::ipv6("GET", "[::1]:4566", "/b/", "", Some(Operation::ListObjects), Some("b"), None)]
    #[case::sub_resource("PUT", "127.0.0.1", "/b", "acl", None, Some("b"), None)]
    #[case::post("POST", "127.0.0.1", "/b/k", "", None, Some("b"), Some("k"))]
    #[case::parts(
        "POST",
        "127.0.0.1",
        "/b/k",
        "uploads",
        Some(Operation::CreateMultipartUpload),
        Some("b"),
        Some("k")
    )]
    #[case::virtual_local(
        "PUT",
        "new.localhost:4566",
        "/k",
        "",
        Some(Operation::PutObject),
        Some("new"),
        Some("k")
    )]
    #[case::version("GET", "127.0.0.1", "/b/k", "versionId=1", None, Some("b"), Some("k"))]
    fn a_request_is_about_one_thing(
        #[case] method: &str,
        #[case] host: &str,
        #[case] path: &str,
        #[case] query: &str,
        #[case] operation: Option<Operation>,
        #[case] bucket: Option<&str>,
        #[case] key: Option<&str>,
    ) {
        let settings = Settings {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            root: AccessKey {
                id: "AKIAROOT".to_owned(),
                secret: "root".into(),
            },
            clock: Clock::new(),
            enforcement: Enforcement::On,
            upstream: None,
        };
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().expect("a host"));
        let request = Received {
            method: method.parse().expect("a method"),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Bytes::new(),
            from: ([127, 0, 0, 1], 1).into(),
            door: Door::World,
            at: Timestamp::UNIX_EPOCH,
        };
        let route = Route::of(&request, &State::new(&settings, &[], Timestamp::UNIX_EPOCH)).expect("UTF-8");
        assert_eq!(
            (route.operation, route.bucket.as_deref(), route.key.as_deref()),
            (operation, bucket, key)
        );
    }
}
