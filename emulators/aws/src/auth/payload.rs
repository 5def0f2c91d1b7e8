use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use md5::{Digest, Md5};

use super::{
    AuthFailure,
    checksum::Checksum,
    chunked::{ChunkSigner, decode},
    hex_digest::HexDigest,
    presented::Signed,
    signature::SigningKey,
};
use crate::{answer::Refusal, request::Received, service::Service};

/// How a request's body takes part in its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode<'v> {
    /// The body's SHA-256 is signed.
    Hashed(&'v str),
    Unsigned,
    Chunked {
        signed: bool,
        trailer: bool,
    },
}

/// A body after its verification: decoded, with the headers that trailed it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Payload {
    pub(crate) body: Bytes,
    pub(crate) trailers: Vec<(String, String)>,
}

/// The last line of the canonical request.
///
/// # Errors
/// S3 without `x-amz-content-sha256`, or with a value that is none.
pub(crate) fn hash_line<'r>(
    request: &'r Received,
    service: &Service,
    presigned: bool,
) -> Result<Cow<'r, str>, AuthFailure> {
    if *service != Service::S3 {
        return Ok(HexDigest::sha256(&request.body).as_str().to_owned().into());
    }
    match request.header("x-amz-content-sha256") {
        Some(value) => mode(value).map(|_| value.into()),
        None if presigned => Ok("UNSIGNED-PAYLOAD".into()),
        None => Err(AuthFailure::ContentSha256(None)),
    }
}

fn mode(value: &str) -> Result<Mode<'_>, AuthFailure> {
    match value {
        "UNSIGNED-PAYLOAD" => Ok(Mode::Unsigned),
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Mode::Chunked {
            signed: false,
            trailer: true,
        }),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Mode::Chunked {
            signed: true,
            trailer: false,
        }),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Ok(Mode::Chunked {
            signed: true,
            trailer: true,
        }),
        hash if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(Mode::Hashed(hash)),
        other => Err(AuthFailure::ContentSha256(Some(other.to_owned()))),
    }
}

/// Verifies and decodes the body of a request whose own signature holds.
///
/// # Errors
/// The body is not the one that was signed.
pub(crate) fn open(
    request: &Received,
    service: &Service,
    signed: &Signed,
    key: &SigningKey,
) -> Result<Payload, AuthFailure> {
    let plain = Payload {
        body: request.body.clone(),
        trailers: Vec::new(),
    };
    // For all but S3 the body's own hash was in the canonical request.
    let value = match request.header("x-amz-content-sha256") {
        Some(value) if *service == Service::S3 => value,
        _ => return Ok(plain),
    };
    match mode(value)? {
        Mode::Unsigned => Ok(plain),
        Mode::Hashed(claimed) => {
            let computed = HexDigest::sha256(&request.body);
            if claimed.eq_ignore_ascii_case(computed.as_str()) {
                Ok(plain)
            } else {
                Err(AuthFailure::Payload {
                    claimed: claimed.to_owned(),
                    computed: computed.as_str().to_owned(),
                })
            }
        }
        Mode::Chunked {
            signed: chunks,
            trailer,
        } => {
            let signer = ChunkSigner { key, signed, trailer };
            let decoded = decode(&request.body, chunks.then_some(&signer))?;
            let length = request
                .header("x-amz-decoded-content-length")
                .and_then(|text| text.parse::<usize>().ok());
            if length != Some(decoded.body.len()) {
                return Err(AuthFailure::Chunked(format!(
                    "x-amz-decoded-content-length must be {}, the length of the chunks",
                    decoded.body.len()
                )));
            }
            Ok(Payload {
                body: decoded.body.into(),
                trailers: decoded.trailers,
            })
        }
    }
}

/// Verifies `Content-MD5` and the `x-amz-checksum-*` of an object, sent as a header or a trailer, and returns the latter.
///
/// # Errors
/// `BadDigest` where one does not agree; `NotImplemented` for an algorithm that cannot be verified here.
pub(crate) fn digests(request: &Received, payload: &Payload) -> Result<Option<(String, String)>, Refusal> {
    if let Some(md5) = request.header("content-md5")
        && md5 != STANDARD.encode(Md5::digest(&payload.body))
    {
        return Err(Refusal::new(
            400,
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
        ));
    }
    let headers = request
        .headers
        .iter()
        .filter_map(|(n, v)| Some((n.as_str(), v.to_str().ok()?)));
    let trailers = payload.trailers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let mut found = None;
    for (name, value) in headers.chain(trailers) {
        let control = ["x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"].contains(&name);
        if !name.starts_with("x-amz-checksum-") || control {
            continue;
        }
        let checksum = Checksum::by_header(name).ok_or_else(|| {
            Refusal::new(
                501,
                "NotImplemented",
                format!("Rolecall does not implement the checksum {name}"),
            )
        })?;
        if checksum.of(&payload.body) != value {
            return Err(Refusal::new(
                400,
                "BadDigest",
                format!(
                    "The {} you specified did not match the calculated checksum.",
                    checksum.name()
                ),
            ));
        }
        found = Some((name.to_owned(), value.to_owned()));
    }
    Ok(found)
}
