use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{
    AuthFailure,
    hex_digest::HexDigest,
    presented::{ALGORITHM, Signed},
};
use crate::Secret;

/// The SHA-256 of nothing.
pub(crate) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The key derived for one day, region and service.
pub(crate) struct SigningKey([u8; 32]);

// === impl SigningKey ===

impl SigningKey {
    pub(crate) fn derive(secret: &Secret, signed: &Signed) -> Self {
        let key = hmac(["AWS4", secret.expose()].concat().as_bytes(), signed.scope.date());
        let key = hmac(&key, signed.scope.region());
        let key = hmac(&key, signed.scope.service());
        Self(hmac(&key, "aws4_request"))
    }

    /// Verifies a chunk of a streamed body, whose data have this SHA-256 (hex), and gives its signature, on which the next
    /// one's builds.
    ///
    /// # Errors
    /// It is signed otherwise.
    pub(crate) fn check_chunk(
        &self,
        signed: &Signed,
        previous: &str,
        hash: &str,
        given: &str,
    ) -> Result<String, AuthFailure> {
        self.check_part(signed, "PAYLOAD", previous, &format!("{EMPTY}\n{hash}"), given)
    }

    /// Verifies the trailers of a streamed body, each written `name:value` and a line break.
    ///
    /// # Errors
    /// They are signed otherwise.
    pub(crate) fn check_trailers(
        &self,
        signed: &Signed,
        previous: &str,
        trailers: &str,
        given: &str,
    ) -> Result<(), AuthFailure> {
        let hash = HexDigest::sha256(trailers.as_bytes());
        self.check_part(signed, "TRAILER", previous, hash.as_str(), given)
            .map(drop)
    }

    fn check_part(
        &self,
        signed: &Signed,
        part: &str,
        previous: &str,
        hashes: &str,
        given: &str,
    ) -> Result<String, AuthFailure> {
        let text = format!(
            "{ALGORITHM}-{part}\n{}\n{}\n{previous}\n{hashes}",
            signed.stamp,
            signed.scope.as_str()
        );
        let computed = self.sign(&text);
        if same(computed.as_str(), given) {
            return Ok(computed.as_str().to_owned());
        }
        Err(AuthFailure::Signature {
            key_id: signed.key_id.clone(),
            string_to_sign: text,
            provided: given.to_owned(),
            canonical: String::new(),
        })
    }

    /// The signature of a string to sign, in hex.
    pub(crate) fn sign(&self, text: &str) -> HexDigest {
        HexDigest::of(hmac(&self.0, text))
    }
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The string to sign of a whole request.
pub(crate) fn string_to_sign(signed: &Signed, canonical: &str) -> String {
    let hash = HexDigest::sha256(canonical.as_bytes());
    [ALGORITHM, &signed.stamp, signed.scope.as_str(), hash.as_str()].join("\n")
}

/// Compares two signatures in constant time.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}
