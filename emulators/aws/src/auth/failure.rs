use jiff::{SignedDuration, Timestamp};

use crate::{
    answer::{Refusal, iso8601},
    service::Service,
};

/// Why a request could not be authenticated. Each service has its own code, status and words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuthFailure {
    /// Unsigned, where a signature is needed.
    Missing,
    /// Another mechanism than SigV4: SigV2, SigV4a, a bearer token.
    Unsupported,
    Malformed(String),
    /// Unknown, or switched off, or of a role that is gone: AWS tells them not apart.
    UnknownKey {
        id: String,
    },
    TokenMissing {
        id: String,
    },
    TokenMismatch {
        token: String,
    },
    Expired {
        token: String,
    },
    Signature {
        key_id: String,
        string_to_sign: String,
        provided: String,
        canonical: String,
    },
    Skew {
        at: Timestamp,
        now: Timestamp,
    },
    PresignedExpired {
        seconds: u32,
        at: Timestamp,
        now: Timestamp,
    },
    /// The body is not the one whose hash was signed.
    Payload {
        claimed: String,
        computed: String,
    },
    /// `x-amz-content-sha256` absent or no value that S3 knows.
    ContentSha256(Option<String>),
    HeadersNotSigned(String),
    /// An `aws-chunked` body that is cut or malformed.
    Chunked(String),
}

const S3_SIGNATURE: &str = "The request signature we calculated does not match the signature you provided. Check your key \
                            and signing method.";
const SIGNATURE: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                         Secret Access Key and signing method. Consult the service documentation for details.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const EXPIRED: &str = "The security token included in the request is expired";
const EC2_AUTH: &str = "AWS was not able to validate the provided access credentials";
const UNSUPPORTED: &str =
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";

// === impl AuthFailure ===

impl AuthFailure {
    /// The error of this service.
    pub(crate) fn refusal(&self, service: &Service) -> Refusal {
        match service {
            Service::S3 => self.s3(),
            Service::Ec2 => self.ec2(),
            Service::Iam | Service::Sts | Service::Other { json: false, .. } => self.query(),
            Service::Es | Service::Other { json: true, .. } => self.json(),
        }
    }

    fn s3(&self) -> Refusal {
        match self {
            Self::Missing => Refusal::new(403, "AccessDenied", "Access Denied"),
            Self::Unsupported => Refusal::new(400, "InvalidRequest", UNSUPPORTED),
            Self::Malformed(message) => Refusal::new(400, "AuthorizationHeaderMalformed", message),
            Self::UnknownKey { id } | Self::TokenMissing { id } => Refusal::new(
                403,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            )
            .detail("AWSAccessKeyId", id),
            Self::TokenMismatch { token } => {
                Refusal::new(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
                    .detail("Token-0", token)
            }
            Self::Expired { token } => {
                Refusal::new(400, "ExpiredToken", "The provided token has expired.").detail("Token-0", token)
            }
            Self::Signature { key_id, string_to_sign, provided, canonical } => {
                Refusal::new(403, "SignatureDoesNotMatch", S3_SIGNATURE)
                    .detail("AWSAccessKeyId", key_id)
                    .detail("StringToSign", string_to_sign)
                    .detail("SignatureProvided", provided)
                    .detail("StringToSignBytes", spaced_hex(string_to_sign))
                    .detail("CanonicalRequest", canonical)
                    .detail("CanonicalRequestBytes", spaced_hex(canonical))
            }
            Self::Skew { at, now } => Refusal::new(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            )
            .detail("RequestTime", basic(*at))
            .detail("ServerTime", iso8601(*now))
            .detail("MaxAllowedSkewMilliseconds", "900000"),
            Self::PresignedExpired { seconds, at, now } => Refusal::new(403, "AccessDenied", "Request has expired")
                .detail("X-Amz-Expires", seconds.to_string())
                .detail("Expires", iso8601(*at + SignedDuration::from_secs(i64::from(*seconds))))
                .detail("ServerTime", iso8601(*now)),
            Self::Payload { claimed, computed } => Refusal::new(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
            .detail("ClientComputedContentSHA256", claimed)
            .detail("S3ComputedContentSHA256", computed),
            Self::ContentSha256(None) => Refusal::new(
                400,
                "InvalidRequest",
                "Missing required header for this request: x-amz-content-sha256",
            ),
            Self::ContentSha256(Some(value)) => Refusal::new(
                400,
                "InvalidArgument",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                 STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            )
            .detail("ArgumentName", "x-amz-content-sha256")
            .detail("ArgumentValue", value),
            Self::HeadersNotSigned(names) => Refusal::new(
                403,
                "AccessDenied",
                "There were headers present in the request which were not signed",
            )
            .detail("HeadersNotSigned", names),
            Self::Chunked(message) => Refusal::new(400, "IncompleteBody", message),
        }
    }

    fn ec2(&self) -> Refusal {
        match self {
            Self::Missing => Refusal::new(
                400,
                "MissingParameter",
                "The request must contain the parameter AWSAccessKeyId",
            ),
            Self::Expired { .. } => Refusal::new(400, "RequestExpired", "Request has expired."),
            Self::Skew { .. } | Self::PresignedExpired { .. } => {
                Refusal::new(400, "RequestExpired", "Request has expired.")
            }
            Self::Unsupported => Refusal::new(400, "InvalidRequest", UNSUPPORTED),
            Self::Malformed(message) => Refusal::new(401, "AuthFailure", message),
            _ => Refusal::new(401, "AuthFailure", EC2_AUTH),
        }
    }

    fn query(&self) -> Refusal {
        match self {
            Self::Missing => Refusal::new(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ),
            Self::Unsupported => Refusal::new(400, "IncompleteSignature", UNSUPPORTED),
            Self::Malformed(message) => Refusal::new(400, "IncompleteSignature", message),
            Self::UnknownKey { .. } | Self::TokenMissing { .. } | Self::TokenMismatch { .. } => {
                Refusal::new(403, "InvalidClientTokenId", INVALID_TOKEN)
            }
            Self::Expired { .. } => Refusal::new(403, "ExpiredToken", EXPIRED),
            Self::Skew { at, now } => Refusal::new(403, "SignatureDoesNotMatch", skew(*at, *now)),
            Self::PresignedExpired { at, now, .. } => Refusal::new(403, "SignatureDoesNotMatch", skew(*at, *now)),
            _ => Refusal::new(403, "SignatureDoesNotMatch", SIGNATURE),
        }
    }

    fn json(&self) -> Refusal {
        match self {
            Self::Missing => Refusal::new(
                403,
                "MissingAuthenticationTokenException",
                "Request is missing Authentication Token",
            ),
            Self::Unsupported => Refusal::new(403, "IncompleteSignatureException", UNSUPPORTED),
            Self::Malformed(message) => Refusal::new(403, "IncompleteSignatureException", message),
            Self::UnknownKey { .. } | Self::TokenMissing { .. } | Self::TokenMismatch { .. } => {
                Refusal::new(403, "UnrecognizedClientException", INVALID_TOKEN)
            }
            Self::Expired { .. } => Refusal::new(403, "ExpiredTokenException", EXPIRED),
            Self::Skew { at, now } | Self::PresignedExpired { at, now, .. } => {
                Refusal::new(403, "InvalidSignatureException", skew(*at, *now))
            }
            _ => Refusal::new(403, "InvalidSignatureException", SIGNATURE),
        }
    }
}

fn basic(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn skew(at: Timestamp, now: Timestamp) -> String {
    let quarter = SignedDuration::from_mins(15);
    if at < now {
        let limit = basic(now - quarter);
        format!(
            "Signature expired: {} is now earlier than {limit} ({} - 15 min.)",
            basic(at),
            basic(now)
        )
    } else {
        let limit = basic(now + quarter);
        format!(
            "Signature not yet current: {} is still later than {limit} ({} + 15 min.)",
            basic(at),
            basic(now)
        )
    }
}

fn spaced_hex(text: &str) -> String {
    text.bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ")
}
