use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    api::{ApiError, Target, Verb},
    authentication::{Issuer, Reviewed, UserInfo},
    registry::Registry,
};

/// A user whose bearer token the API server knows. Besides these, a token of a service account is good for
/// `system:serviceaccount:NAMESPACE:NAME`, who may ask who it is, and for discovery and the keys of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum User {
    /// `kubernetes-admin`, of the group `system:masters`: may do everything.
    Admin,
    /// `rolecall-proxy`, the user of a metadata proxy: may get, list and watch pods, namespaces, nodes and service
    /// accounts, and nothing else.
    Proxy,
    /// `rolecall-vault-proxy`: as [`User::Proxy`], and may create tokens of service accounts.
    VaultProxy,
    /// `rolecall-token-reviewer`: may create token reviews, and nothing else. Its bearer token is a JWT of this
    /// cluster's issuer that has no end, because Vault takes no other for its `token_reviewer_jwt`.
    TokenReviewer,
}

/// Who a request is from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Identity {
    Known(User),
    /// Who holds a token of a service account.
    ServiceAccount(Box<UserInfo>),
    /// No token was sent. As on a real server, health and version may be asked.
    Anonymous,
}

/// The tokens of one cluster.
pub(crate) struct Users(Vec<(User, SecretString)>);

// === impl User ===

impl User {
    const ALL: [Self; 4] = [Self::Admin, Self::Proxy, Self::VaultProxy, Self::TokenReviewer];

    /// The name that the API server knows the user by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "kubernetes-admin",
            Self::Proxy => "rolecall-proxy",
            Self::VaultProxy => "rolecall-vault-proxy",
            Self::TokenReviewer => "rolecall-token-reviewer",
        }
    }

    fn info(self) -> UserInfo {
        let group = (self == Self::Admin).then_some("system:masters");
        UserInfo::named(self.name(), group)
    }
}

// === impl Users ===

impl Users {
    /// Users with fresh tokens.
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub(crate) fn new(issuer: &Issuer) -> Result<Self, ring::error::Unspecified> {
        let mut tokens = Vec::new();
        for user in User::ALL {
            let random = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
            let token = match user {
                User::TokenReviewer => issuer.sign(&json!({"iss": issuer.url(), "jti": random, "sub": user.name()}))?,
                User::Admin | User::Proxy | User::VaultProxy => random.into(),
            };
            tokens.push((user, token));
        }
        Ok(Self(tokens))
    }

    pub(crate) fn token(&self, user: User) -> SecretString {
        let found = self.0.iter().find(|(known, _)| *known == user);
        found.map(|(_, token)| token.clone()).unwrap_or_default()
    }

    fn find(&self, token: &str) -> Option<User> {
        let found = self.0.iter().find(|(_, known)| known.expose_secret() == token);
        found.map(|(user, _)| *user)
    }

    /// Who sends these headers. A token that nobody has is refused; none at all is anonymous.
    pub(crate) fn authenticate(&self, registry: &Registry, headers: &HeaderMap) -> Result<Identity, ApiError> {
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
        if let Some(user) = self.find(token) {
            return Ok(Identity::Known(user));
        }
        let reviewed = registry.review_token(token, &[]).map_err(|why| {
            tracing::debug!(why, "a bearer token was refused");
            ApiError::unauthorized()
        })?;
        Ok(Identity::ServiceAccount(Box::new(reviewed.user)))
    }

    /// Who holds `token`, and for which of `audiences` (the API server's own if there are none), or why nobody does.
    pub(crate) fn review(&self, registry: &Registry, token: &str, audiences: &[String]) -> Result<Reviewed, String> {
        if let Some(user) = self.find(token) {
            // These tokens are for the API server alone.
            let own = registry.issuer.url().to_owned();
            if !audiences.is_empty() && !audiences.contains(&own) {
                return Err("invalid bearer token".to_owned());
            }
            return Ok(Reviewed {
                user: user.info(),
                audiences: vec![own],
            });
        }
        registry
            .review_token(token, audiences)
            .map_err(|why| match why.as_str() {
                "" => "invalid bearer token".to_owned(),
                why => format!("[invalid bearer token, {why}]"),
            })
    }
}

// === impl Identity ===

impl Identity {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Known(user) => user.name(),
            Self::ServiceAccount(info) => &info.username,
            Self::Anonymous => "system:anonymous",
        }
    }

    pub(crate) fn user_info(&self) -> UserInfo {
        match self {
            Self::Known(user) => user.info(),
            Self::ServiceAccount(info) => UserInfo::clone(info),
            Self::Anonymous => UserInfo::anonymous(),
        }
    }

    /// Whether this identity sees the pods that are hidden, and is spared the faults.
    pub(crate) fn is_privileged(&self) -> bool {
        !matches!(self, Self::Known(User::Proxy | User::VaultProxy))
    }

    /// Whether this identity may do `verb` to `target`.
    pub(crate) fn authorize(&self, verb: Verb, target: &Target) -> Result<(), ApiError> {
        const READABLE: [&str; 4] = ["namespaces", "nodes", "pods", "serviceaccounts"];
        const PUBLIC: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];
        const ISSUER: [&str; 2] = ["/.well-known/openid-configuration", "/openid/v1/jwks"];
        let allowed = match (self, target) {
            (Self::Known(User::Admin), _) => true,
            (Self::Anonymous, Target::Other(path)) => verb == Verb::Get && PUBLIC.contains(&path.as_str()),
            (Self::Anonymous, Target::Resource(_)) => false,
            (_, Target::Other(path)) => {
                verb == Verb::Get
                    && (PUBLIC.contains(&path.as_str())
                        || (matches!(self, Self::ServiceAccount(_)) && ISSUER.contains(&path.trim_end_matches('/')))
                        || ["/api", "/apis", "/openapi"].iter().any(|root| {
                            path.strip_prefix(root)
                                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                        }))
            }
            (_, Target::Resource(path)) => {
                let place = (path.group.as_str(), path.resource.as_str(), path.subresource.as_deref());
                let proxy = matches!(self, Self::Known(User::Proxy | User::VaultProxy));
                match (verb, place) {
                    (Verb::Create, ("authentication.k8s.io", "selfsubjectreviews", None)) => true,
                    (Verb::Create, ("authentication.k8s.io", "tokenreviews", None)) => {
                        *self == Self::Known(User::TokenReviewer)
                    }
                    (Verb::Create, ("", "serviceaccounts", Some("token"))) => *self == Self::Known(User::VaultProxy),
                    (Verb::Get | Verb::List | Verb::Watch, ("", resource, None)) => {
                        proxy && READABLE.contains(&resource)
                    }
                    _ => false,
                }
            }
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
