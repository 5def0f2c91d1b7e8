//! Tokens of OpenID Connect providers: whose keys sign them, and what they say.

mod claims;
mod issuer_keys;
mod jwks;
mod token;

pub(crate) use claims::Claims;
pub use issuer_keys::{IssuerKeys, IssuerKeysError, JwksFuture};
pub(crate) use jwks::Jwks;
pub(crate) use token::{Token, TokenError};
