use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey},
};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};

use super::Claims;

/// Who signs the tokens of one cluster, with an ES256 key that no other cluster has.
pub(crate) struct Issuer {
    url: String,
    key: EcdsaKeyPair,
    key_id: String,
    random: SystemRandom,
}

/// Why a text is no token of this issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Untrusted {
    /// It is no token at all, or says that it is another issuer's.
    Foreign,
    /// It says that it is ours, and its signature is not.
    Forged,
}

/// What stands before a point of P-256 in its `SubjectPublicKeyInfo`, of which the key id is the hash.
const P256_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

// === impl Issuer ===

impl Issuer {
    /// An issuer called `url` (the claim `iss`) with a fresh key.
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub(crate) fn new(url: String) -> Result<Self, ring::error::Unspecified> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random)?;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random)
            .map_err(|_rejected| ring::error::Unspecified)?;
        let info = [&P256_INFO, key.public_key().as_ref()].concat();
        let key_id = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &info));
        Ok(Self {
            url,
            key,
            key_id,
            random,
        })
    }

    /// The claim `iss`, which is the API server's own audience too.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A JWT of `claims`.
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<SecretString, ring::error::Unspecified> {
        let header = json!({"alg": "ES256", "kid": self.key_id});
        let claims = serde_json::to_vec(claims).map_err(|_error| ring::error::Unspecified)?;
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(claims));
        let signature = self.key.sign(&self.random, token.as_bytes())?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token.into())
    }

    /// The claims of a token that this issuer has signed; whether they still hold is not looked at.
    pub(crate) fn open(&self, token: &str) -> Result<Claims, Untrusted> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Untrusted::Foreign)?;
        let (header, payload) = signed.split_once('.').ok_or(Untrusted::Foreign)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Untrusted::Foreign)?;
        let said: Value = serde_json::from_slice(&payload).map_err(|_| Untrusted::Foreign)?;
        if said["iss"] != self.url.as_str() {
            return Err(Untrusted::Foreign);
        }
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| Untrusted::Forged)?;
        let header: Value = serde_json::from_slice(&header).map_err(|_| Untrusted::Forged)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Untrusted::Forged)?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key().as_ref());
        if header["alg"] != "ES256" || key.verify(signed.as_bytes(), &signature).is_err() {
            return Err(Untrusted::Forged);
        }
        serde_json::from_value(said).map_err(|_| Untrusted::Forged)
    }

    /// The JSON Web Key Set by which anybody can check a token.
    pub(crate) fn keys(&self) -> Value {
        // The point in its plain form: 4, x and y.
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        json!({"keys": [{
            "use": "sig",
            "kty": "EC",
            "kid": self.key_id,
            "crv": "P-256",
            "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
        }]})
    }

    /// The OIDC discovery document; `server` is the address that the keys are at.
    pub(crate) fn discovery(&self, server: &str) -> Value {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("https://{server}/openid/v1/jwks"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::{
        super::{Binding, claims::Reference},
        *,
    };

    fn issuer(url: &str) -> Issuer {
        Issuer::new(url.to_owned()).expect("random bytes")
    }

    fn claims(iss: &str) -> Claims {
        let named = |name: &str| Reference {
            name: name.to_owned(),
            uid: "1".to_owned(),
        };
        Claims {
            aud: vec!["vault".to_owned()],
            exp: 2,
            iat: 1,
            iss: iss.to_owned(),
            jti: "j".to_owned(),
            binding: Binding {
                namespace: "default".to_owned(),
                node: None,
                pod: Some(named("p")),
                serviceaccount: named("default"),
                warnafter: None,
            },
            nbf: 1,
            sub: "system:serviceaccount:default:default".to_owned(),
        }
    }

    #[test]
    fn a_token_is_opened_by_its_issuer_alone() {
        let (ours, theirs) = (issuer("https://a"), issuer("https://a"));
        let token = ours.sign(&claims("https://a")).expect("signed");
        assert_eq!(ours.open(token.expose_secret()), Ok(claims("https://a")));
        assert_eq!(theirs.open(token.expose_secret()), Err(Untrusted::Forged));
        assert_eq!(issuer("https://b").open(token.expose_secret()), Err(Untrusted::Foreign));
    }

    #[test]
    fn a_changed_claim_and_another_algorithm_are_forgeries() {
        let ours = issuer("https://a");
        let token = ours.sign(&claims("https://a")).expect("signed");
        let parts: Vec<&str> = token.expose_secret().split('.').collect();
        let mut more = claims("https://a");
        more.exp = i64::MAX;
        let more = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&more).expect("JSON"));
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for forged in [
            format!("{}.{more}.{}", parts[0], parts[2]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{none}.{}.", parts[1]),
        ] {
            assert_eq!(ours.open(&forged), Err(Untrusted::Forged), "{forged}");
        }
        for text in ["", "a", "a.b.c", "..", "a.e30.c"] {
            assert_eq!(ours.open(text), Err(Untrusted::Foreign), "{text}");
        }
    }

    #[test]
    fn the_published_key_checks_the_signature() {
        let ours = issuer("https://a");
        let token = ours.sign(&claims("https://a")).expect("signed");
        let (signed, signature) = token.expose_secret().rsplit_once('.').expect("three parts");
        let keys = ours.keys();
        let part = |name: &str| {
            URL_SAFE_NO_PAD
                .decode(keys["keys"][0][name].as_str().expect("text"))
                .expect("base64")
        };
        let point = [vec![4], part("x"), part("y")].concat();
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &signature)
            .expect("good");
    }
}
