//! What is kept between two starts.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::{
    credentials::{Credentials, seconds},
    vault::lease::{Token, UserKeys},
};

/// Keys are nearly over in the last quarter of their time, and in the last five minutes at the earliest.
const NEARLY: SignedDuration = SignedDuration::from_mins(5);

/// The file of one role.
#[derive(Default, Deserialize, Serialize)]
pub(super) struct Kept {
    pub(super) keys: Option<KeptKeys>,
    pub(super) failure: Option<Failure>,
}

/// Keys, and what they hang on.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct KeptKeys {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    /// When they were given, or their lease renewed.
    pub(super) obtained: Timestamp,
    pub(super) expiration: Timestamp,
    /// Of an IAM user, which lives no longer than this.
    pub(super) lease: Option<KeptLease>,
}

/// A lease and its token.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct KeptLease {
    pub(super) id: String,
    pub(super) until: Timestamp,
    pub(super) renewable: bool,
    token: String,
    token_until: Timestamp,
    token_seconds: i64,
    pub(super) token_renewable: bool,
}

/// A failure that is not to be repeated soon.
#[derive(Deserialize, Serialize)]
pub(super) struct Failure {
    pub(super) text: String,
    pub(super) until: Timestamp,
    pub(super) times: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<&'a str>,
    expiration: String,
}

// === impl Kept ===

impl Kept {
    /// Forgets keys that are over at `now`.
    pub(super) fn let_go(&mut self, now: Timestamp) {
        self.keys = self.keys.take().filter(|keys| now < keys.expiration);
    }
}

// === impl KeptKeys ===

impl KeptKeys {
    /// Those of an IAM user. It ends with its lease, and with the token that the lease hangs on.
    pub(super) fn of_user(user: UserKeys, token: &Token, now: Timestamp) -> Self {
        Self {
            access_key_id: user.access_key_id,
            secret_access_key: user.secret_access_key.expose_secret().to_owned(),
            session_token: None,
            obtained: now,
            expiration: user.until.min(token.until),
            lease: Some(KeptLease {
                id: user.lease_id,
                until: user.until,
                renewable: user.renewable,
                token: token.secret.expose_secret().to_owned(),
                token_until: token.until,
                token_seconds: token.ttl.as_secs(),
                token_renewable: token.renewable,
            }),
        }
    }

    /// Those of STS.
    pub(super) fn of_session(credentials: Credentials) -> Self {
        Self {
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key,
            session_token: Some(credentials.session_token),
            obtained: credentials.obtained,
            expiration: credentials.expiration,
            lease: None,
        }
    }

    /// Whether others are to be got.
    pub(super) fn is_nearly_over(&self, now: Timestamp) -> bool {
        let life = self.expiration.duration_since(self.obtained);
        self.expiration.duration_since(now) <= NEARLY.min(life / 4)
    }

    /// What an SDK reads from a `credential_process`.
    pub(super) fn document(&self) -> String {
        let document = Document {
            version: 1,
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: self.session_token.as_deref(),
            expiration: seconds(self.expiration),
        };
        // Strings alone cannot fail to serialize; an empty answer would be refused by every SDK.
        serde_json::to_string(&document).unwrap_or_default()
    }
}

impl fmt::Debug for KeptKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptKeys")
            .field("access_key_id", &self.access_key_id)
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}

// === impl KeptLease ===

impl KeptLease {
    pub(super) fn token(&self) -> Token {
        Token {
            secret: self.token.clone().into(),
            until: self.token_until,
            ttl: SignedDuration::from_secs(self.token_seconds),
            renewable: self.token_renewable,
            revocable: true,
        }
    }

    /// Whether the token, or the lease, is in the second half of its time, and can be made to last longer.
    pub(super) fn wants_renewal(&self, now: Timestamp) -> bool {
        let half = SignedDuration::from_secs(self.token_seconds) / 2;
        let token_ends = self.token_until != Timestamp::MAX && self.token_until.duration_since(now) <= half;
        let lease_ends = self.renewable && self.until <= self.token_until && self.until.duration_since(now) <= half;
        self.token_renewable && (token_ends || lease_ends)
    }

    pub(super) fn renewed(&mut self, token: &Token) {
        (self.token_until, self.token_renewable) = (token.until, token.renewable);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn keys(life: i64, session_token: Option<&str>) -> KeptKeys {
        KeptKeys {
            access_key_id: "AKIAEXAMPLE".to_owned(),
            secret_access_key: "hidden".to_owned(),
            session_token: session_token.map(str::to_owned),
            obtained: Timestamp::UNIX_EPOCH,
            expiration: Timestamp::from_second(life).unwrap(),
            lease: None,
        }
    }

    #[test]
    fn the_document_has_a_session_token_only_if_there_is_one() {
        assert_eq!(
            keys(60, None).document(),
            r#"{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"hidden","Expiration":"1970-01-01T00:01:00Z"}"#
        );
        let with = keys(60, Some("token")).document();
        assert!(
            with.contains(r#""SecretAccessKey":"hidden","SessionToken":"token","Expiration""#),
            "{with}"
        );
        assert!(!format!("{:?}", keys(60, None)).contains("hidden"));
    }

    #[rstest]
    #[case(60, 44, false)]
    #[case(60, 45, true)]
    #[case(3600, 3299, false)]
    #[case(3600, 3300, true)]
    fn keys_are_nearly_over_in_their_last_stretch(#[case] life: i64, #[case] now: i64, #[case] nearly: bool) {
        let now = Timestamp::from_second(now).unwrap();
        assert_eq!(keys(life, None).is_nearly_over(now), nearly);
    }
}
