//! What of a request is passed on, and what of an answer is given back.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{answer::Ids, request::Received, services::s3::Route};

/// What a path keeps as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
/// Headers that belong to one connection, or to who signed.
const OWN: [&str; 17] = [
    "authorization",
    "connection",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-target",
];
/// Headers by which the upstream would let itself be told what to do.
const COMMANDS: [&str; 3] = ["x-forwarded-", "x-localstack", "x-moto"];
/// Headers of an answer that the front writes itself, or that tell of the upstream.
const ANSWERED: [&str; 9] = [
    "connection",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
    "vary",
    "x-amz-id-2",
    "x-amz-request-id",
    "x-amzn-requestid",
];

/// The path and query of a request to S3, in path style, whatever style it came in.
pub(crate) fn path(request: &Received, route: &Route) -> String {
    let mut path = String::from("/");
    if let Some(bucket) = &route.bucket {
        path.extend(utf8_percent_encode(bucket, PATH));
        if let Some(key) = &route.key {
            path.push('/');
            path.extend(utf8_percent_encode(key, PATH));
        }
    }
    let mut separator = '?';
    for part in request.query.split('&').filter(|part| !part.is_empty()) {
        // Those of a presigned URL.
        let name = part.split('=').next().unwrap_or(part);
        let name = percent_decode_str(name).decode_utf8_lossy();
        if !name.to_ascii_lowercase().starts_with("x-amz-") {
            path.push(separator);
            path.push_str(part);
            separator = '&';
        }
    }
    path
}

/// The headers of a request that are passed on.
pub(crate) fn headers(request: &Received) -> HeaderMap {
    let passes = |name: &HeaderName| {
        let name = name.as_str();
        !OWN.contains(&name) && !COMMANDS.iter().any(|start| name.starts_with(start))
    };
    let kept = request.headers.iter().filter(|(name, _)| passes(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The headers of an answer that are given back. `whole`: its body was read, and may have another length by now.
pub(crate) fn answered(mut headers: HeaderMap, whole: bool) -> HeaderMap {
    let stays = |name: &str| {
        ANSWERED.contains(&name)
            || (whole && name == "content-length")
            || name.starts_with("access-control-")
            || name.starts_with("x-localstack")
    };
    let staying: Vec<HeaderName> = headers.keys().filter(|name| stays(name.as_str())).cloned().collect();
    for name in staying {
        headers.remove(name);
    }
    headers
}

/// An answer's XML with the ids that the front gave it in place of the upstream's.
pub(crate) fn with_ids(body: &Bytes, ids: &Ids) -> Bytes {
    let Ok(mut text) = String::from_utf8(body.to_vec()) else {
        return body.clone();
    };
    let request = ["RequestId", "requestId", "RequestID"].map(|name| (name, Some(&ids.request)));
    for (name, id) in request.into_iter().chain([("HostId", ids.host.as_ref())]) {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let found = text.rfind(&start).map(|at| at + start.len());
        let found = found.and_then(|from| Some((from, from + text[from..].find(&end)?)));
        if let (Some((from, to)), Some(id)) = (found, id) {
            text.replace_range(from..to, id);
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use http::Method;
    use jiff::Timestamp;

    use super::*;
    use crate::Door;

    fn received(query: &str, headers: &[(&str, &str)]) -> Received {
        let headers = headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a name");
            (name, value.parse().expect("a value"))
        });
        Received {
            method: Method::GET,
            path: "/ignored".to_owned(),
            query: query.to_owned(),
            headers: headers.collect(),
            body: Bytes::new(),
            from: ([127, 0, 0, 1], 1).into(),
            door: Door::World,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_path_is_made_of_bucket_and_key_and_the_query_loses_its_signature() {
        let route = Route {
            bucket: Some("b".to_owned()),
            key: Some("a b/é?/..//c".to_owned()),
            ..Route::default()
        };
        let request = received("acl&X-Amz-Signature=1&prefix=a%20%2B+c&x%2damz-date=2", &[]);
        assert_eq!(path(&request, &route), "/b/a%20b/%C3%A9%3F/..//c?acl&prefix=a%20%2B+c");
        // The upstream has an interface of its own there.
        let inner = Route {
            key: Some("_localstack/health".to_owned()),
            ..Route::default()
        };
        assert_eq!(path(&received("", &[]), &inner), "/");
    }

    #[test]
    fn headers_that_would_tell_the_upstream_who_asks_or_what_to_do_stay_behind() {
        let request = received(
            "",
            &[
                ("authorization", "AWS4"),
                ("x-amz-security-token", "t"),
                ("x-moto-account-id", "222222222222"),
                ("x-localstack-edge", "x"),
                ("x-forwarded-for", "x"),
                ("x-amz-target", "S3.x"),
                ("content-type", "text/plain"),
                ("x-amz-meta-a", "1"),
            ],
        );
        let kept = headers(&request);
        let mut names: Vec<_> = kept.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "x-amz-meta-a"]);
    }

    #[test]
    fn an_answer_carries_the_ids_of_the_front() {
        let ids = |host: Option<&str>| Ids {
            request: "ours".to_owned(),
            host: host.map(str::to_owned),
        };
        let body = Bytes::from_static(b"<R><X/><ResponseMetadata><RequestId>theirs</RequestId></ResponseMetadata></R>");
        assert_eq!(
            with_ids(&body, &ids(None)),
            "<R><X/><ResponseMetadata><RequestId>ours</RequestId></ResponseMetadata></R>"
        );
        let body = Bytes::from_static(b"<Error><RequestId>theirs</RequestId><HostId>theirs</HostId></Error>");
        assert_eq!(
            with_ids(&body, &ids(Some("our host"))),
            "<Error><RequestId>ours</RequestId><HostId>our host</HostId></Error>"
        );
    }
}
