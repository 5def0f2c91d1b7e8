use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{Claims, Jwks, jwks::Algorithm};

/// A signed JSON Web Token (RFC 7515, compact form) whose signature is still to be verified.
#[derive(Debug)]
pub(crate) struct Token<'a> {
    /// Head and payload as they were signed.
    signed: &'a str,
    signature: Vec<u8>,
    head: Head,
    claims: Claims,
}

/// Why a token is none that can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    Malformed,
    /// Not one of those that are implemented, `none` among them.
    Algorithm,
    /// The issuer has no key of this id.
    UnknownKey,
    Signature,
}

#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
}

// === impl Token ===

impl<'a> Token<'a> {
    /// # Errors
    /// It is not three parts of base64url with JSON in the first two, or lacks a claim that every token has.
    pub(crate) fn parse(text: &'a str) -> Result<Self, TokenError> {
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (head, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
        Ok(Self {
            signed,
            signature: bytes(signature)?,
            head: serde_json::from_slice(&bytes(head)?).map_err(|_| TokenError::Malformed)?,
            claims: serde_json::from_slice(&bytes(payload)?).map_err(|_| TokenError::Malformed)?,
        })
    }

    /// Whom it says it is from, which is not yet known to be so.
    pub(crate) fn alleged_issuer(&self) -> &str {
        &self.claims.iss
    }

    /// What it says, once its signature is found to be one of these keys'.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn verify(self, keys: &Jwks) -> Result<Claims, TokenError> {
        let algorithm = Algorithm::by_name(&self.head.alg).ok_or(TokenError::Algorithm)?;
        let kid = self.head.kid.as_deref();
        if !keys.has(kid) {
            return Err(TokenError::UnknownKey);
        }
        if keys.verify(algorithm, kid, self.signed.as_bytes(), &self.signature) {
            Ok(self.claims)
        } else {
            Err(TokenError::Signature)
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The example of RFC 7515, appendix A.3: ES256, without the claims that a token here must have.
    #[test]
    fn the_published_signature_of_es256_is_verified() {
        let keys = Jwks::parse(
            r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
        )
        .expect("a key set");
        let signed = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvb\
                       S9pc19yb290Ijp0cnVlfQ";
        let signature = URL_SAFE_NO_PAD
            .decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
            .expect("base64url");
        assert!(keys.verify(Algorithm::Es256, None, signed, &signature));
        assert!(!keys.verify(Algorithm::Es256, Some("other"), signed, &signature));
        assert!(!keys.verify(Algorithm::Rs256, None, signed, &signature));
        let mut changed = signature.clone();
        changed[40] ^= 1;
        assert!(!keys.verify(Algorithm::Es256, None, signed, &changed));
    }

    /// The example of RFC 7515, appendix A.2.
    #[test]
    fn the_published_signature_of_rs256_is_verified() {
        let keys = Jwks::parse(
            r#"{"keys":[{"kty":"RSA","kid":"one","use":"sig","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]}"#,
        )
        .expect("a key set");
        let signed = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvb\
                       S9pc19yb290Ijp0cnVlfQ";
        let signature = URL_SAFE_NO_PAD
            .decode(
                "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJ\
                 dbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN\
                 9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXL\
                 IhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            )
            .expect("base64url");
        assert!(keys.verify(Algorithm::Rs256, Some("one"), signed, &signature));
        assert!(!keys.verify(Algorithm::Rs256, Some("one"), &signed[1..], &signature));
        assert!(!keys.verify(Algorithm::Rs512, Some("one"), signed, &signature));
    }

    #[rstest]
    #[case("")]
    #[case("a.b")]
    #[case("a.b.c")]
    #[case("e30.e30.")]
    #[case("eyJhbGciOiJFUzI1NiJ9.e30.AA")]
    fn what_is_no_token_is_told(#[case] text: &str) {
        assert_eq!(Token::parse(text).map(|_| ()), Err(TokenError::Malformed));
    }

    #[test]
    fn a_token_that_is_not_signed_is_never_trusted() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let text = format!(
            "{}.{}.",
            part(r#"{"alg":"none"}"#),
            part(r#"{"iss":"https://a","sub":"b","aud":"c","exp":9999999999}"#)
        );
        let token = Token::parse(&text).expect("it has the form");
        assert_eq!(token.verify(&Jwks::default()).map(|_| ()), Err(TokenError::Algorithm));
    }
}
