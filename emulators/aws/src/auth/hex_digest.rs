use sha2::{Digest, Sha256};

/// 32 bytes in hexadecimal digits, as signatures and hashes are written: each request has half a dozen of them.
#[derive(Clone, Copy)]
pub(crate) struct HexDigest([u8; 64]);

// === impl HexDigest ===

impl HexDigest {
    pub(crate) fn of(bytes: impl Into<[u8; 32]>) -> Self {
        let bytes: [u8; 32] = bytes.into();
        let mut digits = [0; 64];
        hex::encode_to_slice(bytes, &mut digits).expect("32 bytes are 64 digits");
        Self(digits)
    }

    /// The SHA-256 of these bytes.
    pub(crate) fn sha256(bytes: &[u8]) -> Self {
        Self::of(Sha256::digest(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        // Digits alone.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::signature::EMPTY;

    #[test]
    fn the_hash_of_nothing_is_the_known_one() {
        assert_eq!(HexDigest::sha256(b"").as_str(), EMPTY);
        assert_eq!(HexDigest::of([0xa5; 32]).as_str(), "a5".repeat(32));
    }
}
