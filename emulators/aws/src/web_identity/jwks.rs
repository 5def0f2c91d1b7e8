use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;

/// The public keys of an issuer (RFC 7517).
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Jwks {
    keys: Vec<Jwk>,
}

/// One of them, of whatever type; what is no signing key of a known type verifies nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: String,
    n: String,
    e: String,
    x: String,
    y: String,
}

/// The signature algorithms that IAM takes of an OpenID Connect provider, as far as they are implemented here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
}

// === impl Jwks ===

impl Jwks {
    /// # Errors
    /// The text is no key set.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Whether one of the keys, that with this id if one is named, made this signature.
    pub(super) fn verify(&self, algorithm: Algorithm, kid: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
        self.keys
            .iter()
            .filter(|key| key.usage.as_deref().is_none_or(|usage| usage == "sig"))
            .filter(|key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid)))
            .any(|key| key.verify(algorithm, message, signature))
    }

    /// Whether there is a key with this id.
    pub(super) fn has(&self, kid: Option<&str>) -> bool {
        kid.is_none_or(|kid| self.keys.iter().any(|key| key.kid.as_deref() == Some(kid)))
    }
}

// === impl Jwk ===

impl Jwk {
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verified = match algorithm {
            Algorithm::Rs256 => self.rsa(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            Algorithm::Rs384 => self.rsa(&RSA_PKCS1_2048_8192_SHA384, message, signature),
            Algorithm::Rs512 => self.rsa(&RSA_PKCS1_2048_8192_SHA512, message, signature),
            Algorithm::Es256 => self.ec("P-256", 32, &ECDSA_P256_SHA256_FIXED, message, signature),
            Algorithm::Es384 => self.ec("P-384", 48, &ECDSA_P384_SHA384_FIXED, message, signature),
        };
        verified.is_some()
    }

    fn rsa(&self, parameters: &'static RsaParameters, message: &[u8], signature: &[u8]) -> Option<()> {
        if self.kty != "RSA" {
            return None;
        }
        let number = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Some(bytes[zeros..].to_vec())
        };
        let key = RsaPublicKeyComponents {
            n: number(&self.n)?,
            e: number(&self.e)?,
        };
        key.verify(parameters, message, signature).ok()
    }

    fn ec(
        &self,
        curve: &str,
        length: usize,
        algorithm: &'static dyn VerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<()> {
        if self.kty != "EC" || self.crv != curve {
            return None;
        }
        // SEC 1, section 2.3.3: an uncompressed point.
        let mut point = vec![4];
        for coordinate in [&self.x, &self.y] {
            let bytes = URL_SAFE_NO_PAD.decode(coordinate).ok()?;
            if bytes.len() != length {
                return None;
            }
            point.extend(bytes);
        }
        UnparsedPublicKey::new(algorithm, point).verify(message, signature).ok()
    }
}

// === impl Algorithm ===

impl Algorithm {
    /// By its name in a token's head (RFC 7518, section 3.1).
    pub(super) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            _ => return None,
        })
    }
}
