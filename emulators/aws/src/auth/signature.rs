use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{
    AuthFailure,
    hex_digest::HexDigest,
    presented::{ALGORITHM, Signed},
    scope::Scope,
};
use crate::Secret;

/// The SHA-256 of nothing.
pub(crate) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The key derived for one day, region and service.
#[derive(Clone)]
pub(crate) struct SigningKey([u8; 32]);

/// A secret access key, with the key that was derived from it last: whoever signs goes on with the same for a day.
#[derive(Clone)]
pub(crate) struct SigningSecret {
    secret: Secret,
    last: Arc<Mutex<Option<(Scope, SigningKey)>>>,
}

// === impl SigningSecret ===

impl SigningSecret {
    /// The secret as its owner holds it.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether it is a clone of the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.last, &other.last)
    }

    /// The key for signatures of this scope.
    pub(crate) fn signing_key(&self, scope: &Scope) -> SigningKey {
        // A panic elsewhere leaves a whole key behind, or none.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, key)) if known == scope => key.clone(),
            _ => {
                let key = SigningKey::derive(&self.secret, scope);
                *last = Some((scope.clone(), key.clone()));
                key
            }
        }
    }
}

impl From<Secret> for SigningSecret {
    fn from(secret: Secret) -> Self {
        Self {
            secret,
            last: Arc::default(),
        }
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.secret.fmt(f)
    }
}

// === impl SigningKey ===

impl SigningKey {
    pub(super) fn derive(secret: &Secret, scope: &Scope) -> Self {
        let key = hmac(["AWS4", secret.expose()].concat().as_bytes(), scope.date());
        let key = hmac(&key, scope.region());
        let key = hmac(&key, scope.service());
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
