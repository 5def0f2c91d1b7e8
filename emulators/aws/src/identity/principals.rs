use std::sync::Arc;

use iam_policy::Principal;

use crate::state::Tags;

/// Who a key stands for, within its account.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    Root,
    User(Arc<UserRef>),
    Role(Arc<RoleSession>),
    Federated(Arc<Federated>),
    Anonymous,
}

/// A user as it was when a key was made. One who was deleted and made again has another id.
#[derive(Clone, Debug)]
pub(crate) struct UserRef {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) id: String,
}

/// One assumption of a role.
#[derive(Debug)]
pub(crate) struct RoleSession {
    pub(crate) role_name: String,
    pub(crate) role_arn: String,
    /// The role's unique id: a role that was deleted and made again is another one, and this session is then void.
    pub(crate) role_id: String,
    pub(crate) name: String,
    /// The instance the session was issued to, if by the metadata service.
    pub(crate) instance: Option<String>,
    /// The ARN of the identity provider whose token opened it.
    pub(crate) provider: Option<String>,
    pub(crate) tags: SessionTags,
}

/// What was told about a session when it was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct SessionTags {
    pub(crate) tags: Tags,
    /// Keys of those tags that the sessions of further roles in a chain have too.
    pub(crate) transitive: Vec<String>,
    /// Who is behind it, for the whole chain.
    pub(crate) source_identity: Option<String>,
}

/// A federated user: a name, and a part of what the one may who asked for it.
#[derive(Debug)]
pub(crate) struct Federated {
    pub(crate) name: String,
    /// The user who asked; none if it was root.
    pub(crate) by: Option<Arc<UserRef>>,
    pub(crate) tags: SessionTags,
}

// === impl Identity ===

impl Identity {
    /// The caller as policies see it.
    pub(crate) fn principal(&self, account: &str) -> Principal {
        match self {
            Self::Root => Principal::Root {
                account: account.to_owned(),
            },
            Self::User(user) => Principal::User { arn: user.arn.clone() },
            Self::Role(session) => Principal::AssumedRole {
                role_arn: session.role_arn.clone(),
                session_name: session.name.clone(),
            },
            Self::Federated(session) => Principal::FederatedUser {
                account: account.to_owned(),
                user_arn: session.by.as_ref().map(|user| user.arn.clone()),
                name: session.name.clone(),
            },
            Self::Anonymous => Principal::Anonymous,
        }
    }

    pub(crate) fn session_tags(&self) -> Option<&SessionTags> {
        match self {
            Self::Role(session) => Some(&session.tags),
            Self::Federated(session) => Some(&session.tags),
            Self::Root | Self::User(_) | Self::Anonymous => None,
        }
    }

    /// `aws:userid`, as GetCallerIdentity shows it.
    pub(crate) fn user_id(&self, account: &str) -> String {
        match self {
            Self::Root => account.to_owned(),
            Self::User(user) => user.id.clone(),
            Self::Role(session) => format!("{}:{}", session.role_id, session.name),
            Self::Federated(session) => format!("{account}:{}", session.name),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }
}
