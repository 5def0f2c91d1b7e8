use std::fmt;

use jiff::Timestamp;

/// What keys are asked for. Two pods get the same keys only if both agree: a pod without the right external id must
/// not profit from another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The role's ARN.
    pub role_arn: String,
    /// `ExternalId` for AssumeRole.
    pub external_id: Option<String>,
}

/// Temporary keys of a role.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `ASIA…`.
    pub access_key_id: String,
    /// Secret.
    pub secret_access_key: String,
    /// Secret; never empty.
    pub session_token: String,
    /// When AWS stops taking them.
    pub expiration: Timestamp,
    /// When they were asked for.
    pub obtained: Timestamp,
}

// === impl Credentials ===

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}
