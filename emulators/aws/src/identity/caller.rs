use std::sync::Arc;

use iam_policy::Principal;
use jiff::Timestamp;
use serde::Serialize;

use super::{Key, KeyOwner, Session};
use crate::Secret;

/// Whose key signed a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// Keys of a role session, as their holder gets them. `Debug` masks the secret and the token.
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
    pub(crate) caller: Option<Caller>,
}

/// What kind of caller it is.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    Root,
    User { name: String, arn: String, id: String },
    Session(Arc<Session>),
    Anonymous,
}

// === impl Who ===

impl Who {
    pub(crate) fn anonymous() -> Self {
        Self {
            identity: Identity::Anonymous,
            caller: None,
        }
    }

    /// The caller behind a key.
    pub(crate) fn of(key: &Key, account: &str) -> Self {
        let plain = |arn: String| Caller {
            arn,
            key_id: key.id.clone(),
            role: None,
            session_name: None,
            issued: None,
            expires: None,
        };
        match &key.owner {
            KeyOwner::Root => Self {
                identity: Identity::Root,
                caller: Some(plain(format!("arn:aws:iam::{account}:root"))),
            },
            KeyOwner::User { name, arn, id } => Self {
                identity: Identity::User {
                    name: name.clone(),
                    arn: arn.clone(),
                    id: id.clone(),
                },
                caller: Some(plain(arn.clone())),
            },
            KeyOwner::Session(session) => Self {
                identity: Identity::Session(session.clone()),
                caller: Some(Caller {
                    arn: session.arn(account),
                    key_id: key.id.clone(),
                    role: Some(session.role_name.clone()),
                    session_name: Some(session.name.clone()),
                    issued: Some(session.issued),
                    expires: Some(session.expires),
                }),
            },
        }
    }

    /// The caller as policies see it.
    pub(crate) fn principal(&self, account: &str) -> Principal {
        match &self.identity {
            Identity::Root => Principal::Root {
                account: account.to_owned(),
            },
            Identity::User { arn, .. } => Principal::User { arn: arn.clone() },
            Identity::Session(session) => Principal::AssumedRole {
                role_arn: session.role_arn.clone(),
                session_name: session.name.clone(),
            },
            Identity::Anonymous => Principal::Anonymous,
        }
    }

    /// The ARN that GetCallerIdentity and the messages of denials show.
    pub(crate) fn arn(&self) -> &str {
        self.caller.as_ref().map_or("anonymous", |caller| &caller.arn)
    }

    /// `aws:userid`, as GetCallerIdentity shows it.
    pub(crate) fn user_id(&self, account: &str) -> String {
        match &self.identity {
            Identity::Root => account.to_owned(),
            Identity::User { id, .. } => id.clone(),
            Identity::Session(session) => format!("{}:{}", session.role_id, session.name),
            Identity::Anonymous => "anonymous".to_owned(),
        }
    }
}
