use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Identity, Key, Session};
use crate::{
    Secret,
    state::{AccountRef, State},
};

/// Whose key signed a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The caller's ARN, as GetCallerIdentity gives it.
    pub arn: String,
    /// The access key id.
    pub key_id: String,
    /// The *name* of the role behind a session.
    pub role: Option<String>,
    /// The session's name.
    pub session_name: Option<String>,
    /// When the session was issued, in the world's time.
    pub issued: Option<Timestamp>,
    /// When the session ends or ended, in the world's time.
    pub expires: Option<Timestamp>,
}

/// Keys of a session, as their holder gets them. `Debug` masks the secret and the token.
#[derive(Clone, Debug)]
pub struct SessionCredentials {
    /// The access key id, `ASIA…`.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token, sent with every request.
    pub session_token: Secret,
    /// When the keys end, in the world's time, in whole seconds.
    pub expiration: Timestamp,
    /// When the keys were issued, in the world's time, in whole seconds.
    pub last_updated: Timestamp,
}

/// The authenticated caller of one request.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) identity: Identity,
    /// None for an anonymous request.
    pub(crate) account: Option<AccountRef>,
    /// None unless the key is a temporary one.
    pub(crate) session: Option<Arc<Session>>,
    /// None for an anonymous request.
    pub(crate) caller: Option<Arc<Caller>>,
}

// === impl Caller ===

impl Caller {
    fn of(key: &Key, state: &State) -> Self {
        let (role, session_name) = match &key.identity {
            Identity::Role(session) => (Some(session.role_name.clone()), Some(session.name.clone())),
            Identity::Federated(session) => (None, Some(session.name.clone())),
            Identity::Root | Identity::User(_) | Identity::Anonymous => (None, None),
        };
        Self {
            arn: key.identity.principal(&state[key.account].account).arn(),
            key_id: key.id.clone(),
            role,
            session_name,
            issued: key.session.as_ref().map(|session| session.issued),
            expires: key.session.as_ref().map(|session| session.expires),
        }
    }
}

// === impl Who ===

impl Who {
    pub(crate) fn anonymous() -> Self {
        Self {
            identity: Identity::Anonymous,
            account: None,
            session: None,
            caller: None,
        }
    }

    /// The caller behind a key.
    pub(crate) fn of(key: &Key, state: &State) -> Self {
        Self {
            identity: key.identity.clone(),
            account: Some(key.account),
            session: key.session.clone(),
            caller: Some(key.caller.get_or_init(|| Arc::new(Caller::of(key, state))).clone()),
        }
    }

    /// The ARN that GetCallerIdentity and the messages of denials show.
    pub(crate) fn arn(&self) -> &str {
        self.caller.as_ref().map_or("anonymous", |caller| &caller.arn)
    }
}
