use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::{
    AuthFailure,
    presented::{Signed, pairs},
};
use crate::{request::Received, service::Service};

/// What SigV4 encodes: all but the unreserved characters of RFC 3986.
const ENCODE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The canonical request of SigV4.
///
/// # Errors
/// A header that is said to be signed is absent, or one that must be signed is not.
pub(crate) fn canonical_request(
    request: &Received,
    service: &Service,
    signed: &Signed,
    payload_hash: &str,
) -> Result<String, AuthFailure> {
    check_signed(request, service, signed)?;
    let mut text = String::with_capacity(1024);
    text.push_str(request.method.as_str());
    text.push('\n');
    push_path(&mut text, &request.path, service);
    text.push('\n');
    text.push_str(&canonical_query(&request.query, signed.presigned.is_some()));
    text.push('\n');
    for name in signed.header_names() {
        text.push_str(name);
        let mut separator = ':';
        for value in request.headers.get_all(name) {
            text.push(separator);
            push_trimmed(&mut text, &String::from_utf8_lossy(value.as_bytes()));
            separator = ',';
        }
        if separator == ':' {
            return Err(AuthFailure::Malformed(format!(
                "the signed header '{name}' is not in the request"
            )));
        }
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&signed.signed_headers);
    text.push('\n');
    text.push_str(payload_hash);
    Ok(text)
}

/// The host must be signed. S3 also refuses `x-amz-*` headers that are not: whoever passes a presigned URL on could
/// otherwise add some.
fn check_signed(request: &Received, service: &Service, signed: &Signed) -> Result<(), AuthFailure> {
    let is_signed = |name: &str| signed.header_names().any(|signed| signed == name);
    if !is_signed("host") {
        return Err(AuthFailure::Malformed("'Host' must be a 'SignedHeader'".to_owned()));
    }
    if *service == Service::S3 {
        let unsigned: Vec<&str> = request
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .filter(|name| name.starts_with("x-amz-") && !is_signed(name))
            // The body's hash stands in the canonical request by itself.
            .filter(|name| *name != "x-amz-content-sha256")
            .collect();
        if !unsigned.is_empty() {
            return Err(AuthFailure::HeadersNotSigned(unsigned.join(", ")));
        }
    }
    Ok(())
}

/// Outer spaces go, inner runs of them become one.
fn push_trimmed(text: &mut String, value: &str) {
    if !value.starts_with(' ') && !value.ends_with(' ') && !value.contains("  ") {
        text.push_str(value);
        return;
    }
    let mut parts = value.split(' ').filter(|part| !part.is_empty());
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        text.push(' ');
        text.push_str(part);
    }
}

/// S3 takes the path as it was sent. All others remove dot segments and doubled slashes, and encode what came encoded
/// once more.
fn push_path(text: &mut String, path: &str, service: &Service) {
    if *service == Service::S3 {
        text.push_str(if path.is_empty() { "/" } else { path });
        return;
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    text.push('/');
    for (i, segment) in segments.iter().enumerate() {
        if i > 0 {
            text.push('/');
        }
        text.extend(percent_encode(segment.as_bytes(), ENCODE));
    }
    if !segments.is_empty() && path.ends_with('/') {
        text.push('/');
    }
}

fn canonical_query(query: &str, presigned: bool) -> String {
    let encode = |text: &str| percent_encode(text.as_bytes(), ENCODE).to_string();
    let mut parts: Vec<(String, String)> = pairs(query)
        .iter()
        .filter(|(name, _)| !(presigned && name == "X-Amz-Signature"))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    parts.sort();
    parts
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::s3_is_raw(Service::S3, "/a%20b//../c", "/a%20b//../c")]
    #[case::others_encode_again(Service::Es, "/a%20b/c", "/a%2520b/c")]
    #[case::others_normalise(Service::Es, "//a/./b/../c/", "/a/c/")]
    #[case::root(Service::Iam, "/", "/")]
    fn each_service_has_its_own_canonical_path(#[case] service: Service, #[case] path: &str, #[case] expected: &str) {
        let mut canonical = String::new();
        push_path(&mut canonical, path, &service);
        assert_eq!(canonical, expected);
    }

    #[test]
    fn the_query_is_sorted_by_its_encoded_form_and_a_plus_is_a_plus() {
        assert_eq!(canonical_query("b=%7e&a=2&a=1+1&c", false), "a=1%2B1&a=2&b=~&c=");
    }
}
