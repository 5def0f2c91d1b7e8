use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::{Binding, Claims, claims::Reference};
use crate::{
    api::{ApiError, FieldError},
    registry::{Registry, random_uid},
    store::{Key, Kind, Resource, State, object::text},
};

/// What a token is wanted for.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenWish {
    /// None for the API server itself.
    pub(crate) audiences: Vec<String>,
    /// Seconds.
    pub(crate) expiration: i64,
    pub(crate) bound_to: Option<BoundObject>,
    /// Whether who asks sees pods that are hidden.
    pub(crate) sees_hidden: bool,
}

/// `spec.boundObjectRef`.
#[derive(Clone, Debug, Default)]
pub(crate) struct BoundObject {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Empty for whatever has the name.
    pub(crate) uid: String,
}

/// A token as it was made.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) token: SecretString,
    /// The UID of the service account.
    pub(crate) account_uid: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) issued: Timestamp,
    /// When it should be replaced: the end that was asked for. It may hold longer.
    pub(crate) expires: Timestamp,
}

/// `expirationSeconds` where nothing is said.
pub(crate) const DEFAULT_EXPIRATION: i64 = 3600;
/// What the token that every pod gets asks for; it then holds for a year, and the rest of the hour is only warned of
/// (`WarnOnlyBoundTokenExpirationPeriod`, `ExpirationExtensionSeconds`).
pub(crate) const DEFAULT_MOUNT_EXPIRATION: i64 = 3607;
const EXTENDED_EXPIRATION: i64 = 365 * 24 * 3600;

// === impl Registry ===

impl Registry {
    /// Makes a token of a service account (`pkg/registry/core/serviceaccount/storage/token.go`).
    pub(crate) fn issue_token(&self, namespace: &str, account: &str, wish: &TokenWish) -> Result<Issued, ApiError> {
        let now = self.clock.wall();
        let own = self.issuer.url();
        let audiences = if wish.audiences.is_empty() {
            vec![own.to_owned()]
        } else {
            wish.audiences.clone()
        };
        let mut binding = self.store.read(|state| {
            Self::check_namespace_exists(state, namespace)?;
            let found = state
                .get(&Key::new(Resource::ServiceAccounts, namespace, account))
                .ok_or_else(|| ApiError::not_found(Resource::ServiceAccounts, account))?;
            check_expiration(wish.expiration)?;
            let mut binding = Binding {
                namespace: namespace.to_owned(),
                node: None,
                pod: None,
                serviceaccount: Reference {
                    name: account.to_owned(),
                    uid: text(found, "/metadata/uid").to_owned(),
                },
                warnafter: None,
            };
            if let Some(object) = &wish.bound_to {
                bind(&mut binding, state, object, wish.sees_hidden)?;
            }
            Ok::<_, ApiError>(binding)
        })?;
        let mut expiration = wish.expiration;
        if expiration == DEFAULT_MOUNT_EXPIRATION && binding.pod.is_some() && audiences == [own] {
            binding.warnafter = Some(now.as_second() + expiration);
            expiration = EXTENDED_EXPIRATION;
        }
        let claims = Claims {
            aud: audiences.clone(),
            exp: now.as_second() + expiration,
            iat: now.as_second(),
            iss: own.to_owned(),
            jti: random_uid(),
            nbf: now.as_second(),
            sub: format!("system:serviceaccount:{namespace}:{account}"),
            binding,
        };
        let token = self
            .issuer
            .sign(&claims)
            .map_err(|_| ApiError::internal("signing a token"))?;
        Ok(Issued {
            token,
            account_uid: claims.binding.serviceaccount.uid,
            audiences,
            issued: now,
            expires: now
                .saturating_add(SignedDuration::from_secs(wish.expiration))
                .unwrap_or(Timestamp::MAX),
        })
    }
}

/// What is wrong with a token's time to live.
pub(crate) fn expiration_error(field: &str, seconds: i64) -> Option<FieldError> {
    let detail = if seconds < 600 {
        "may not specify a duration less than 10 minutes"
    } else if seconds > 1 << 32 {
        "may not specify a duration larger than 2^32 seconds"
    } else {
        return None;
    };
    Some(FieldError::invalid_value(field, seconds, detail))
}

fn check_expiration(seconds: i64) -> Result<(), ApiError> {
    match expiration_error("spec.expirationSeconds", seconds) {
        Some(error) => Err(ApiError::invalid(Kind::TokenRequest, "", &[error])),
        None => Ok(()),
    }
}

/// Binds a token to an object that is there.
fn bind(binding: &mut Binding, state: &State, object: &BoundObject, sees_hidden: bool) -> Result<(), ApiError> {
    let (group, version) = match object.api_version.split_once('/') {
        Some((group, version)) => (group, version),
        None => ("", object.api_version.as_str()),
    };
    let bindable = group.is_empty() && ["Pod", "Secret", "Node"].contains(&object.kind.as_str());
    if !bindable {
        return Err(ApiError::bad_request(format!(
            "cannot bind token to object of type {group}/{version}, Kind={}",
            object.kind
        )));
    }
    if object.name.is_empty() {
        return Err(ApiError::bad_request("Name parameter required."));
    }
    let name = &object.name;
    let reference = |found: &serde_json::Value| Reference {
        name: name.clone(),
        uid: text(found, "/metadata/uid").to_owned(),
    };
    let bound = match object.kind.as_str() {
        "Pod" => {
            let key = Key::new(Resource::Pods, &binding.namespace, name);
            let pod = state
                .get(&key)
                .filter(|_| sees_hidden || !state.is_hidden(&key))
                .ok_or_else(|| ApiError::not_found(Resource::Pods, name))?;
            let account = &binding.serviceaccount.name;
            if text(pod, "/spec/serviceAccountName") != account {
                return Err(ApiError::bad_request(format!(
                    "cannot bind token for serviceaccount {account:?} to pod running with different serviceaccount name."
                )));
            }
            let node = text(pod, "/spec/nodeName");
            if !node.is_empty() {
                let found = state.get(&Key::new(Resource::Nodes, "", node));
                binding.node = Some(Reference {
                    name: node.to_owned(),
                    uid: found.map_or("", |node| text(node, "/metadata/uid")).to_owned(),
                });
            }
            binding.pod.insert(reference(pod))
        }
        "Node" => {
            let node = state
                .get(&Key::new(Resource::Nodes, "", name))
                .ok_or_else(|| ApiError::not_found(Resource::Nodes, name))?;
            binding.node.insert(reference(node))
        }
        // This server keeps no secrets.
        _ => return Err(ApiError::no_secret(name)),
    };
    if !object.uid.is_empty() && object.uid != bound.uid {
        return Err(ApiError::bound_to_another(&object.kind, name, &object.uid));
    }
    Ok(())
}
