use std::{error::Error, fmt::Debug, pin::Pin};

/// Why the keys of an issuer could not be had: whatever the embedder's way of asking says.
pub type IssuerKeysError = Box<dyn Error + Send + Sync>;

/// The JSON Web Key Set of an issuer, under way.
pub type JwksFuture<'a> = Pin<Box<dyn Future<Output = Result<String, IssuerKeysError>> + Send + 'a>>;

/// Where the public keys of OpenID Connect issuers come from. STS asks an issuer over the network; a front asks what its
/// embedder gave it, which knows the issuers of its world.
pub trait IssuerKeys: Debug + Send + Sync {
    /// The key set (RFC 7517, section 5: `{"keys": [...]}`, as text) of the issuer with this URL, which is the `iss` of the
    /// token and that of an OpenID Connect provider of the role's account: `https://` and no slash at its end unless the
    /// provider was registered with one.
    ///
    /// It is asked for every token, so that rotated keys are seen, and given up after five seconds.
    ///
    /// # Errors
    /// Whatever keeps it from being had. The caller of STS is told `IDPCommunicationError`.
    fn jwks<'a>(&'a self, issuer_url: &'a str) -> JwksFuture<'a>;
}
