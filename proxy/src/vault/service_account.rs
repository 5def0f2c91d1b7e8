//! Tokens of pods' service accounts, for Vault alone.

use std::fmt;

use k8s_openapi::api::{
    authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, Client, api::PostParams};
use secrecy::SecretString;

use super::{VaultError, VaultErrorKind};
use crate::who::PodRecord;

/// Life of a token, in seconds: the least that the API server gives.
const LIFE: i64 = 600;

/// Asks the API server for tokens of service accounts, each bound to one pod: it ends with the pod, and is good for
/// Vault alone.
#[derive(Clone)]
pub struct ServiceAccounts {
    client: Client,
    audience: String,
}

impl ServiceAccounts {
    /// Tokens with this audience. Nothing is asked yet.
    pub fn new(client: Client, audience: String) -> Self {
        Self { client, audience }
    }

    /// A token of the pod's own service account.
    pub(super) async fn token(&self, pod: &PodRecord) -> Result<SecretString, VaultError> {
        let account = &pod.service_account;
        let path = format!("api/v1/namespaces/{}/serviceaccounts/{account}/token", pod.namespace);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                audiences: Some(vec![self.audience.clone()]),
                expiration_seconds: Some(LIFE),
                bound_object_ref: Some(BoundObjectReference {
                    api_version: Some("v1".to_owned()),
                    kind: Some("Pod".to_owned()),
                    name: Some(pod.name.clone()),
                    uid: Some(pod.uid.clone()),
                }),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let accounts = Api::<ServiceAccount>::namespaced(self.client.clone(), &pod.namespace);
        let answer = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await
            .map_err(|error| classify(&error, &path))?;
        let token = answer
            .status
            .and_then(|status| status.token)
            .filter(|token| !token.is_empty());
        token
            .map(SecretString::from)
            .ok_or_else(|| VaultError::new(VaultErrorKind::AccountTokenUnavailable, path, "its answer has no token"))
    }
}

fn classify(error: &kube::Error, path: &str) -> VaultError {
    let kube::Error::Api(status) = error else {
        return VaultError::new(VaultErrorKind::AccountTokenUnavailable, path, &error.to_string());
    };
    let kind = match status.code {
        403 => VaultErrorKind::AccountTokenForbidden,
        401 | 429 => VaultErrorKind::AccountTokenUnavailable,
        400..500 => VaultErrorKind::AccountTokenRefused,
        _ => VaultErrorKind::AccountTokenUnavailable,
    };
    VaultError::new(kind, path, &format!("{} {}", status.code, status.message))
}

impl fmt::Debug for ServiceAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccounts")
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
