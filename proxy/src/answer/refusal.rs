use http::StatusCode;

use crate::{
    answer::{InvalidToken, InvalidTtl},
    may,
    provider::ProviderError,
    vault::{Outcome, VaultErrorKind},
    which::{NotDiscovered, RoleError},
    who::Unidentified,
};

/// Why a request is refused. `Display` is for the log; what the pod is told is [`Refusal::text`], which names neither
/// the node nor its role nor any other pod.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Who asks is not known.
    #[error(transparent)]
    Unidentified(#[from] Unidentified),
    /// The pod asks for no role.
    #[error(transparent)]
    NoRole(#[from] RoleError),
    /// Which role a name means is not known yet.
    #[error(transparent)]
    NotDiscovered(#[from] NotDiscovered),
    /// The path names a role that is not the pod's.
    #[error("the pod asks for another role than its own")]
    OtherRole,
    /// The namespace does not allow the role.
    #[error(transparent)]
    Namespace(#[from] may::Denied),
    /// There are no keys.
    #[error(transparent)]
    Keys(#[from] ProviderError),
    /// A session token was given and is no good.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// No session token was given, and one is wanted.
    #[error("no session token was given")]
    TokenWanted,
    /// A token with a life that cannot be.
    #[error(transparent)]
    Ttl(#[from] InvalidTtl),
    /// A token was asked for through a forwarding proxy.
    #[error("a session token was asked for with X-Forwarded-For")]
    Forwarded,
    /// The request names another host than the metadata service.
    #[error("the request is meant for another host")]
    ForeignHost,
    /// The path is known, the method is not for it.
    #[error("the method is not for this path")]
    Method {
        /// Those that are.
        allowed: &'static str,
    },
    /// No rule passes the path.
    #[error("no rule passes the path through")]
    NotPassed,
    /// The node's metadata service could not be asked.
    #[error("the node's metadata service did not answer: {0}")]
    Upstream(String),
    /// The node's metadata service has nothing at the path.
    #[error("the node's metadata service answered {0}")]
    UpstreamStatus(u16),
}

impl Refusal {
    /// What the pod's client sees.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unidentified(Unidentified::NotSynced) | Self::NotDiscovered(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoRole(RoleError::Ambiguous) => StatusCode::FORBIDDEN,
            Self::Unidentified(_) | Self::NoRole(_) | Self::NotPassed => StatusCode::NOT_FOUND,
            Self::OtherRole | Self::Namespace(_) | Self::Forwarded | Self::ForeignHost => StatusCode::FORBIDDEN,
            Self::Keys(ProviderError::Denied(_)) => StatusCode::FORBIDDEN,
            Self::Keys(ProviderError::Vault(error)) => match error.kind.outcome() {
                Outcome::Denied => StatusCode::FORBIDDEN,
                Outcome::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                Outcome::Refused => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::Keys(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Token(_) | Self::TokenWanted => StatusCode::UNAUTHORIZED,
            Self::Ttl(_) => StatusCode::BAD_REQUEST,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Upstream(_) => StatusCode::BAD_GATEWAY,
            Self::UpstreamStatus(_) => StatusCode::NOT_FOUND,
        }
    }

    /// What the pod is told.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Unidentified(Unidentified::NotSynced) | Self::NotDiscovered(_) => "not ready",
            Self::NoRole(RoleError::Ambiguous) => {
                "this pod names an AWS role and a Vault role; remove one of its two annotations"
            }
            Self::NoRole(_) => "this pod has no role",
            Self::Keys(ProviderError::Vault(error)) => match (error.kind, error.kind.outcome()) {
                (VaultErrorKind::IamUser, _) => {
                    "the Vault role gives the keys of an IAM user, which have no session token: they cannot go through \
                     the metadata service; use a role of another credential_type, or `rolecall-proxy credential-process`"
                }
                (_, Outcome::Denied) => "the role may not be assumed",
                (_, Outcome::Unavailable) => "the role cannot be assumed now",
                (_, Outcome::Refused) => "the role could not be assumed",
            },
            Self::Keys(ProviderError::Denied(_)) => "the role may not be assumed",
            Self::Keys(_) => "the role could not be assumed",
            Self::OtherRole | Self::Namespace(_) => "this pod may not have the role",
            Self::Token(_) | Self::TokenWanted => "a valid session token is needed",
            Self::Ttl(_) => "the token's life must be 1 to 21600 seconds",
            Self::Forwarded | Self::ForeignHost => "forbidden",
            Self::Method { .. } => "method not allowed",
            Self::Upstream(_) => "not available",
            Self::Unidentified(_) | Self::NotPassed | Self::UpstreamStatus(_) => "not found",
        }
    }

    /// Its label in metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unidentified(Unidentified::Unknown) => "unknown_source",
            Self::Unidentified(Unidentified::NotSynced) | Self::NotDiscovered(_) => "not_ready",
            Self::Unidentified(Unidentified::Shared(_)) => "shared_address",
            Self::NoRole(_) => "no_role",
            Self::OtherRole => "other_role",
            Self::Namespace(_) => "namespace",
            Self::Keys(ProviderError::Denied(_)) => "sts_denied",
            Self::Keys(ProviderError::Vault(error)) => match error.kind.outcome() {
                Outcome::Denied => "vault_denied",
                Outcome::Unavailable => "vault_unavailable",
                Outcome::Refused => "vault_refused",
            },
            Self::Keys(_) => "sts_failed",
            Self::Token(_) | Self::TokenWanted | Self::Ttl(_) => "token",
            Self::Forwarded => "forwarded",
            Self::ForeignHost => "foreign_host",
            Self::Method { .. } => "method",
            Self::NotPassed => "path",
            Self::Upstream(_) | Self::UpstreamStatus(_) => "upstream",
        }
    }
}
