//! What Vault gives: tokens and leases.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use crate::credentials::Credentials;

/// A token of Vault's.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    /// When it ends, and with it its leases; the end of time if it does not end.
    pub(super) until: Timestamp,
    /// How long it was given for when it was given or last renewed.
    pub(super) ttl: SignedDuration,
    /// Whether it may be made to last longer. Not so once a renewal gave less than was left to give.
    pub(super) renewable: bool,
    /// Whether it can be revoked: batch tokens cannot.
    pub(super) revocable: bool,
}

/// What a role of the AWS secrets engine gave.
pub(super) enum Lease {
    /// Keys with a session token.
    Session(Credentials),
    /// Keys of an IAM user, which exists until the lease ends.
    IamUser(UserKeys),
}

/// Keys of an IAM user.
pub(super) struct UserKeys {
    pub(super) lease_id: String,
    pub(super) access_key_id: String,
    pub(super) secret_access_key: SecretString,
    pub(super) until: Timestamp,
    pub(super) renewable: bool,
}

// === impl Token ===

impl Token {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.secret.expose_secret() == other.secret.expose_secret()
    }

    /// Whether it is to be renewed at `now`: in the last third of its time.
    pub(super) fn wants_renewal(&self, now: Timestamp) -> bool {
        self.renewable
            && self.until != Timestamp::MAX
            && now < self.until
            && self.until.duration_since(now) <= self.ttl / 3
    }

    /// Whether another lease may hang on it at `now`: one that is not renewed takes its leases with it.
    pub(super) fn carries_another_lease(&self, now: Timestamp) -> bool {
        now < self.until && (self.renewable || self.until == Timestamp::MAX)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("until", &self.until)
            .field("renewable", &self.renewable)
            .finish_non_exhaustive()
    }
}
