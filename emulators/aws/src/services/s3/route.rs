use http::Method;
use percent_encoding::percent_decode_str;

use super::{
    operation::{Operation, Read, Write},
    subresource,
};
use crate::{answer::Refusal, request::Received, state::State};

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
        use {Read as R, Write as W};
        let has = |name: &str| self.query.iter().any(|(n, _)| n == name);
        let fixed = |of_object| {
            self.query
                .iter()
                .find_map(|(name, _)| subresource::named(name, of_object))
        };
        let one;
        let (operation, params): (Operation, &[&str]) = match (&self.bucket, &self.key, method.as_str()) {
            (None, _, "GET") => (
                R::ListBuckets.into(),
                &["max-buckets", "prefix", "continuation-token", "bucket-region"],
            ),
            (Some(_), None, "GET") if has("policy") => (R::GetBucketPolicy.into(), &["policy"]),
            (Some(_), None, "PUT") if has("policy") => (W::PutBucketPolicy.into(), &["policy"]),
            (Some(_), None, "DELETE") if has("policy") => (W::DeleteBucketPolicy.into(), &["policy"]),
            (Some(_), None, "POST") if has("delete") => (W::DeleteObjects.into(), &["delete"]),
            (Some(_), None, "GET") if has("tagging") => (R::GetBucketTagging.into(), &["tagging"]),
            (Some(_), None, "PUT") if has("tagging") => (W::PutBucketTagging.into(), &["tagging"]),
            (Some(_), None, "DELETE") if has("tagging") => (W::DeleteBucketTagging.into(), &["tagging"]),
            (Some(_), None, "GET") if has("uploads") => (
                R::ListMultipartUploads.into(),
                &[
                    "uploads",
                    "prefix",
                    "delimiter",
                    "max-uploads",
                    "key-marker",
                    "upload-id-marker",
                ],
            ),
            (Some(_), Some(_), "GET") if has("tagging") => (R::GetObjectTagging.into(), &["tagging"]),
            (Some(_), Some(_), "PUT") if has("tagging") => (W::PutObjectTagging.into(), &["tagging"]),
            (Some(_), Some(_), "DELETE") if has("tagging") => (W::DeleteObjectTagging.into(), &["tagging"]),
            (Some(_), Some(_), "POST") if has("uploads") => (W::CreateMultipartUpload.into(), &["uploads"]),
            (Some(_), Some(_), "PUT") if has("uploadId") && copies => {
                (W::UploadPartCopy.into(), &["uploadId", "partNumber"])
            }
            (Some(_), Some(_), "PUT") if has("uploadId") => (W::UploadPart.into(), &["uploadId", "partNumber"]),
            (Some(_), Some(_), "POST") if has("uploadId") => (W::CompleteMultipartUpload.into(), &["uploadId"]),
            (Some(_), Some(_), "DELETE") if has("uploadId") => (W::AbortMultipartUpload.into(), &["uploadId"]),
            (Some(_), Some(_), "GET") if has("uploadId") => {
                (R::ListParts.into(), &["uploadId", "max-parts", "part-number-marker"])
            }
            (Some(_), key, "GET") if fixed(key.is_some()).is_some() => {
                let fixed = fixed(key.is_some())?;
                one = [fixed.name];
                (R::Fixed(fixed).into(), &one)
            }
            (Some(_), None, "GET") if has("location") => (R::GetBucketLocation.into(), &["location"]),
            (Some(_), None, "GET") if self.param("list-type") == Some("2") => (
                R::ListObjectsV2.into(),
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
                R::ListObjects.into(),
                &["prefix", "delimiter", "max-keys", "encoding-type", "marker"],
            ),
            (Some(_), None, "PUT") => (W::CreateBucket.into(), &[]),
            (Some(_), None, "HEAD") => (R::HeadBucket.into(), &[]),
            (Some(_), None, "DELETE") => (W::DeleteBucket.into(), &[]),
            (Some(_), Some(_), "PUT") if copies => (W::CopyObject.into(), &[]),
            (Some(_), Some(_), "PUT") => (W::PutObject.into(), &[]),
            (Some(_), Some(_), "GET") => (R::GetObject.into(), READ),
            (Some(_), Some(_), "HEAD") => (R::HeadObject.into(), READ),
            (Some(_), Some(_), "DELETE") => (W::DeleteObject.into(), &["versionId"]),
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

pub(super) fn decode(text: &str) -> Result<String, Refusal> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Refusal::new(400, "InvalidURI", "Couldn't parse the specified URI."))
}

/// The bucket in the host: `BUCKET.s3.…`, or the part of any other name before its first dot if that is a bucket or the
/// request makes sense for a bucket only. An address and a name without dots hold none.
fn host_bucket(request: &Received, query: &[(String, String)], state: &State) -> Option<String> {
    let host = request.header(http::header::HOST)?;
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
        Some(Read::GetObject.into()),
        Some("reports"),
        Some("a b")
    )]
    #[case::all(
        "GET",
        "aws.local:4566",
        "/",
        "x-id=ListBuckets",
        Some(Read::ListBuckets.into()),
        None,
        None
    )]
    #[case::s3_host(
        "GET",
        "s3.us-east-1.amazonaws.com",
        "/",
        "",
        Some(Read::ListBuckets.into()),
        None,
        None
    )]
    #[case::virtual_s3(
        "GET",
        "a.b.s3.us-east-1.amazonaws.com",
        "/k",
        "",
        Some(Read::GetObject.into()),
        Some("a.b"),
        Some("k")
    )]
    #[case::virtual_other("PUT", "new.aws.local", "/", "", Some(Write::CreateBucket.into()), Some("new"), None)]
    #[case::virtual_v2(
        "GET",
        "new.aws.local",
        "/",
        "list-type=2",
        Some(Read::ListObjectsV2.into()),
        Some("new"),
        None
    )]
    #[case::ipv6("GET", "[::1]:4566", "/b/", "", Some(Read::ListObjects.into()), Some("b"), None)]
    #[case::sub_resource("PUT", "127.0.0.1", "/b", "acl", None, Some("b"), None)]
    #[case::post("POST", "127.0.0.1", "/b/k", "", None, Some("b"), Some("k"))]
    #[case::parts(
        "POST",
        "127.0.0.1",
        "/b/k",
        "uploads",
        Some(Write::CreateMultipartUpload.into()),
        Some("b"),
        Some("k")
    )]
    #[case::virtual_local(
        "PUT",
        "new.localhost:4566",
        "/k",
        "",
        Some(Write::PutObject.into()),
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
