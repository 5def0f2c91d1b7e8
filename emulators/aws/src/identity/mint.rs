use rand::Rng;

use crate::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn letters(count: usize) -> String {
    let mut random = [0; 17];
    let random = &mut random[..count.min(17)];
    rand::rng().fill_bytes(random);
    // 256 is a multiple of 32, so that each letter is as likely as any other.
    for byte in &mut *random {
        *byte = BASE32[usize::from(*byte % 32)];
    }
    String::from_utf8_lossy(random).into_owned()
}

fn base64_of(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::rng().fill_bytes(&mut random);
    STANDARD.encode(random)
}

/// A new access key id: `AKIA` (long-lived) or `ASIA` (session) and 16 letters.
pub(crate) fn access_key_id(prefix: &str) -> String {
    format!("{prefix}{}", letters(16))
}

/// A new unique id of a role (`AROA`), user (`AIDA`), policy (`ANPA`) or instance profile (`AIPA`).
pub(crate) fn entity_id(prefix: &str) -> String {
    format!("{prefix}{}", letters(17))
}

/// A new secret access key of 40 characters.
pub(crate) fn secret_access_key() -> Secret {
    Secret::new(base64_of(30))
}

/// A new session token. AWS calls it opaque and so is this one: it is looked up, never decoded.
pub(crate) fn session_token() -> Secret {
    Secret::new(format!("IQoJb3JpZ2luX2VjE{}", base64_of(210)))
}

/// A request id in the form of a version 4 UUID, as the query services send it.
pub(crate) fn request_id() -> String {
    let mut b = [0u8; 16];
    rand::rng().fill_bytes(&mut b);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let h = hex::encode(b);
    format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
}

/// A request id in S3's form: 16 capital letters and digits.
pub(crate) fn s3_request_id() -> String {
    letters(16)
}

/// A new id of a multipart upload: opaque, and nothing that a query string would have to encode.
pub(crate) fn upload_id() -> String {
    let mut random = [0; 48];
    rand::rng().fill_bytes(&mut random);
    hex::encode(random)
}

/// S3's second id, `x-amz-id-2`.
pub(crate) fn host_id() -> String {
    base64_of(57)
}
