use jiff::Timestamp;

use super::Tags;

/// An OpenID Connect provider whose tokens roles of the account may trust.
#[derive(Clone, Debug)]
pub(crate) struct OidcProvider {
    /// `arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH`
    pub(crate) arn: String,
    /// The issuer without `https://`, as conditions name its claims and IAM shows it.
    pub(crate) issuer: String,
    /// Audiences whose tokens are taken.
    pub(crate) client_ids: Vec<String>,
    pub(crate) thumbprints: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}
