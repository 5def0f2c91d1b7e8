use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};

use crate::api::{ApiError, Target, Verb};

/// A user whose bearer token the API server knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum User {
    /// `kubernetes-admin`, of the group `system:masters`: may do everything.
    Admin,
    /// `rolecall-proxy`, the user of a metadata proxy: may get, list and watch pods, namespaces, nodes and service
    /// accounts, and nothing else.
    Proxy,
}

/// Who a request is from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Identity {
    Known(User),
    /// No token was sent. As on a real server, health and version may be asked.
    Anonymous,
}

/// The tokens of one cluster.
pub(crate) struct Users {
    admin: SecretString,
    proxy: SecretString,
}

// === impl User ===

impl User {
    /// The name that the API server knows the user by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "kubernetes-admin",
            Self::Proxy => "rolecall-proxy",
        }
    }
}

// === impl Users ===

impl Users {
    pub(crate) fn new() -> Self {
        Self {
            admin: random_token(),
            proxy: random_token(),
        }
    }

    pub(crate) fn token(&self, user: User) -> &SecretString {
        match user {
            User::Admin => &self.admin,
            User::Proxy => &self.proxy,
        }
    }

    /// Who sends these headers. A token that nobody has is refused; none at all is anonymous.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, ApiError> {
        let Some(header) = headers.get(AUTHORIZATION) else {
            return Ok(Identity::Anonymous);
        };
        let token = header
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(ApiError::unauthorized)?;
        [User::Admin, User::Proxy]
            .into_iter()
            .find(|user| self.token(*user).expose_secret() == token)
            .map(Identity::Known)
            .ok_or_else(ApiError::unauthorized)
    }
}

// === impl Identity ===

impl Identity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Known(user) => user.name(),
            Self::Anonymous => "system:anonymous",
        }
    }

    /// Whether this identity sees the pods that are hidden, and is spared the faults.
    pub(crate) fn is_privileged(self) -> bool {
        self != Self::Known(User::Proxy)
    }

    /// Whether this identity may do `verb` to `target`.
    pub(crate) fn authorize(self, verb: Verb, target: &Target) -> Result<(), ApiError> {
        const READABLE: [&str; 4] = ["namespaces", "nodes", "pods", "serviceaccounts"];
        const PUBLIC: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];
        let allowed = match (self, target) {
            (Self::Known(User::Admin), _) => true,
            (Self::Known(User::Proxy), Target::Resource(path)) => {
                path.group.is_empty()
                    && READABLE.contains(&path.resource.as_str())
                    && path.subresource.is_none()
                    && matches!(verb, Verb::Get | Verb::List | Verb::Watch)
            }
            (Self::Known(User::Proxy), Target::Other(path)) => {
                verb == Verb::Get
                    && (PUBLIC.contains(&path.as_str())
                        || ["/api", "/apis", "/openapi"].iter().any(|root| {
                            path.strip_prefix(root)
                                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                        }))
            }
            (Self::Anonymous, Target::Other(path)) => verb == Verb::Get && PUBLIC.contains(&path.as_str()),
            (Self::Anonymous, Target::Resource(_)) => false,
        };
        if allowed {
            return Ok(());
        }
        Err(match target {
            Target::Resource(path) => ApiError::forbidden_to(self.name(), verb, path),
            Target::Other(path) => ApiError::forbidden_path(self.name(), verb, path),
        })
    }
}

fn random_token() -> SecretString {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()).into()
}
