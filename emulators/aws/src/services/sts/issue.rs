use std::sync::Arc;

use iam_policy::Policy;
use jiff::{SignedDuration, Timestamp};

use crate::{
    answer::{Refusal, Xml, iso8601},
    front::whole_seconds,
    identity::{
        Identity, Key, KeyStatus, Keys, RoleSession, Session, SessionCredentials, SessionTags, access_key_id,
        secret_access_key, session_token,
    },
    params::Params,
    state::{AccountRef, Role},
};

/// Seconds that any session lasts at least.
const SHORTEST: u32 = 900;

/// The keys of a session to be made. Whether the caller may have them is decided before.
pub(crate) struct Issue {
    /// The account that the session belongs to.
    pub(crate) account: AccountRef,
    pub(crate) identity: Identity,
    pub(crate) now: Timestamp,
    pub(crate) lasts: SignedDuration,
    pub(crate) policies: Vec<(String, Arc<Policy>)>,
}

// === impl Issue ===

impl Issue {
    pub(crate) fn make(self, keys: &mut Keys) -> SessionCredentials {
        let now = whole_seconds(self.now);
        let credentials = SessionCredentials {
            access_key_id: access_key_id("ASIA"),
            secret_access_key: secret_access_key(),
            session_token: session_token(),
            expiration: now + self.lasts,
            last_updated: now,
        };
        let session = Session {
            token: credentials.session_token.clone(),
            issued: self.now,
            expires: credentials.expiration,
            policies: self.policies,
        };
        keys.add(Key {
            id: credentials.access_key_id.clone(),
            secret: credentials.secret_access_key.clone().into(),
            status: KeyStatus::Active,
            account: self.account,
            identity: self.identity,
            session: Some(Arc::new(session)),
            created: self.now,
            caller: Default::default(),
        });
        credentials
    }
}

// === impl RoleSession ===

impl RoleSession {
    /// A session of this role with this name.
    pub(crate) fn of(role: &Role, name: &str) -> Self {
        Self {
            role_name: role.name.clone(),
            role_arn: role.arn.clone(),
            role_id: role.id.clone(),
            name: name.to_owned(),
            instance: None,
            provider: None,
            tags: SessionTags::default(),
        }
    }
}

/// The content of `<Credentials>`.
pub(super) fn write(xml: &mut Xml, credentials: &SessionCredentials) {
    xml.text("AccessKeyId", &credentials.access_key_id)
        .text("SecretAccessKey", credentials.secret_access_key.expose())
        .text("SessionToken", credentials.session_token.expose())
        .text("Expiration", &iso8601(credentials.expiration));
}

/// `DurationSeconds`, `default` if absent.
pub(super) fn duration(params: &Params, default: u32, longest: u32) -> Result<u32, Refusal> {
    let bound = |seconds: u32, words: &str, bound: u32| {
        Refusal::validation(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must \
             have value {words} than or equal to {bound}"
        ))
    };
    match params.number("DurationSeconds")?.unwrap_or(default) {
        seconds if seconds < SHORTEST => Err(bound(seconds, "greater", SHORTEST)),
        seconds if seconds > longest => Err(bound(seconds, "less", longest)),
        seconds => Ok(seconds),
    }
}
