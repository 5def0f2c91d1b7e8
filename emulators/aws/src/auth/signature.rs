use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::presented::{ALGORITHM, Signed};
use crate::Secret;

/// The key derived for one day, region and service.
pub(crate) struct SigningKey([u8; 32]);

// === impl SigningKey ===

impl SigningKey {
    pub(crate) fn derive(secret: &Secret, signed: &Signed) -> Self {
        let key = hmac(format!("AWS4{}", secret.expose()).as_bytes(), &signed.date);
        let key = hmac(&key, &signed.region);
        let key = hmac(&key, &signed.service);
        Self(hmac(&key, "aws4_request"))
    }

    /// The signature of a string to sign, in hex.
    pub(crate) fn sign(&self, text: &str) -> String {
        hex::encode(hmac(&self.0, text))
    }
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The string to sign of a whole request.
pub(crate) fn string_to_sign(signed: &Signed, canonical: &str) -> String {
    format!(
        "{ALGORITHM}\n{}\n{}\n{}",
        signed.stamp,
        signed.scope(),
        sha256_hex(canonical.as_bytes())
    )
}

/// Compares two signatures in constant time.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}
