use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use bytes::Bytes;
use http::Request;

/// Keys to sign with.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// How to sign.
#[derive(Clone, Debug)]
pub(crate) struct How<'a> {
    pub(crate) service: &'a str,
    pub(crate) at: SystemTime,
    pub(crate) body: SignableBody<'a>,
    /// The life of a presigned URL; none signs by header.
    pub(crate) presigned: Option<Duration>,
}

/// Signs a request, whose URI is absolute, as the AWS SDK for Rust does.
pub(crate) fn signed(mut request: Request<Bytes>, keys: &Keys, how: How<'_>) -> Request<Bytes> {
    let identity = Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "test").into();
    let mut settings = SigningSettings::default();
    if how.service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    if let Some(life) = how.presigned {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.expires_in = Some(life);
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(how.service)
        .time(how.at)
        .settings(settings)
        .build()
        .expect("all parameters are given")
        .into();
    let headers = request
        .headers()
        .iter()
        .map(|(n, v)| (n.as_str(), v.to_str().expect("a text")));
    let signable = SignableRequest::new(request.method().as_str(), request.uri().to_string(), headers, how.body)
        .expect("a request that can be signed");
    let (instructions, _) = sign(signable, &params).expect("it is signed").into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request
}
