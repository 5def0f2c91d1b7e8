//! Getting keys for a pod, and letting go of the tokens that nobody needs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rolecall_clock::{monotonic, since};
use secrecy::SecretString;
use tracing::{info, warn};

use super::{
    Outcome, VaultError, VaultErrorKind,
    entry::{Entry, later},
    lease::{Lease, Token},
    pods::Inner,
    state::{EntryKey, IamUserRole, Owed, State},
};
use crate::{
    credentials::{Credentials, Flight, flight},
    provider::ProviderError,
    which::VaultRole,
    who::PodRecord,
};

/// The time that a fetch has for all its steps.
struct Limit {
    began: Instant,
    whole: Duration,
}

// === impl Inner ===

impl Inner {
    /// Starts a fetch as a task of its own.
    pub(super) fn launch(inner: &Arc<Self>, pod: &Arc<PodRecord>, key: &EntryKey, entry: &mut Entry) -> Flight {
        let (number, token) = (entry.number, entry.token.clone());
        let (task_inner, pod, key) = (inner.clone(), pod.clone(), key.clone());
        let fetching = inner.tasks.spawn(async move {
            let fetched = task_inner.fetch(&pod, &key.role, token).await;
            task_inner.land(&pod, &key, number, fetched)
        });
        let flight = flight(fetching);
        entry.slot.depart(flight.clone());
        flight
    }

    /// Keys, and the token that their lease hangs on. If there are none, no token is left behind either.
    async fn fetch(
        self: &Arc<Self>,
        pod: &PodRecord,
        role: &VaultRole,
        token: Option<Token>,
    ) -> Result<(Credentials, Token), VaultError> {
        let limit = Limit::new(self.settings.timeout);
        let path = self.settings.sts_path(role.name());
        if let Some(token) = token.filter(|token| token.carries_another_lease(self.clock.wall())) {
            match self.read(&path, &token, &limit).await {
                Ok(credentials) => return Ok((credentials, token)),
                // It may have been revoked, or its policies may be those of yesterday: a new one will tell.
                Err(error) if matches!(error.kind, VaultErrorKind::TokenGone | VaultErrorKind::PolicyDenied) => {}
                Err(error) => {
                    // The user that was made goes with the token.
                    if error.kind == VaultErrorKind::IamUser {
                        self.revoke(token, pod.to_string());
                    }
                    return Err(error);
                }
            }
        }
        let jwt = self.account_token(pod, &limit).await?;
        let (login, auth_role) = (self.settings.login_path(), self.settings.auth_role(role.name()));
        let token = self.api.login(&login, auth_role, &jwt, limit.left()).await?;
        match self.read(&path, &token, &limit).await {
            Ok(credentials) => Ok((credentials, token)),
            Err(error) => {
                // Whatever the failed call made in AWS hangs on the token too.
                self.revoke(token, pod.to_string());
                Err(error)
            }
        }
    }

    /// A token of the pod's service account.
    async fn account_token(&self, pod: &PodRecord, limit: &Limit) -> Result<SecretString, VaultError> {
        let began = monotonic();
        let asking = self.accounts.token(pod);
        let token = tokio::time::timeout(limit.left(), asking).await.unwrap_or_else(|_| {
            let kind = VaultErrorKind::AccountTokenUnavailable;
            Err(VaultError::new(kind, "serviceaccounts/token", "no answer in time"))
        });
        let result = token.as_ref().map_or_else(|error| error.kind.label(), |_| "ok");
        self.metrics.vault().asked("account_token", result, since(began));
        token
    }

    async fn read(&self, path: &str, token: &Token, limit: &Limit) -> Result<Credentials, VaultError> {
        match self.api.read(path, token, limit.left()).await? {
            Lease::Session(credentials) => Ok(credentials),
            Lease::IamUser(user) => {
                let said = format!("access key {} of lease {}, revoked", user.access_key_id, user.lease_id);
                Err(VaultError::new(VaultErrorKind::IamUser, path, &said))
            }
        }
    }

    fn land(
        self: &Arc<Self>,
        pod: &PodRecord,
        key: &EntryKey,
        number: u64,
        fetched: Result<(Credentials, Token), VaultError>,
    ) -> Result<Arc<Credentials>, Arc<ProviderError>> {
        let now = self.clock.wall();
        let lives = self.pods.pod(&key.uid).is_some_and(|pod| pod.live);
        let mut state = self.lock();
        let State {
            entries,
            iam_users,
            closed,
            ..
        } = &mut *state;
        let entry = entries.get_mut(key).filter(|entry| entry.number == number);
        match fetched {
            Ok((credentials, token)) => {
                let Some(entry) = entry.filter(|_| lives && !*closed) else {
                    drop(state);
                    self.revoke(token, pod.to_string());
                    return Err(Arc::new(ProviderError::Interrupted));
                };
                iam_users.remove(&key.role);
                let credentials = Arc::new(credentials);
                let former = entry.land(credentials.clone(), token);
                drop(state);
                if let Some(former) = former {
                    self.revoke(former, pod.to_string());
                }
                Ok(credentials)
            }
            Err(error) => {
                let (kind, pause, text) = (error.kind, error.pause(), error.to_string());
                let error = Arc::new(ProviderError::Vault(error));
                if kind == VaultErrorKind::IamUser {
                    let times = iam_users.get(&key.role).map_or(0, |role| role.times + 1);
                    let role = IamUserRole {
                        error: error.clone(),
                        until: later(now, pause.after(times)),
                        times,
                    };
                    iam_users.insert(key.role.clone(), role);
                }
                let kept = entry.and_then(|entry| {
                    entry.fail(now, error.clone());
                    if kind == VaultErrorKind::IamUser {
                        // It was revoked, with the lease before this one.
                        entry.token = None;
                        entry.slot.drop_keys();
                    }
                    entry.slot.unexpired(now).filter(|_| kind.is_transient())
                });
                drop(state);
                // A pod that gets nothing is told of where its request is refused.
                if let Some(kept) = kept {
                    warn!(%pod, role = %key.role, reason = text, until = %kept.expiration,
                          "no new keys from Vault; those that the pod has go on being served");
                }
                Err(error)
            }
        }
    }

    /// Revokes a token as a task of its own. If Vault cannot be asked it is tried again later.
    pub(super) fn revoke(self: &Arc<Self>, token: Token, whose: String) {
        if !token.revocable {
            return;
        }
        let inner = self.clone();
        self.tasks.spawn(async move {
            let Ok(_turn) = inner.background.acquire().await else { return };
            if inner.clock.wall() >= token.until {
                return;
            }
            let Err(error) = inner.api.revoke(&token, inner.settings.timeout).await else {
                info!(pod = whose, path = "auth/token/revoke-self", "revoked the pod's Vault token");
                return;
            };
            if error.kind.outcome() != Outcome::Unavailable {
                warn!(pod = whose, reason = %error, ends = %token.until, "cannot revoke a Vault token; it ends by itself");
                return;
            }
            warn!(pod = whose, reason = %error, ends = %token.until, "cannot revoke a Vault token now; trying again");
            let not_before = later(inner.clock.wall(), Duration::from_secs(5));
            inner.lock().owed.push(Owed {
                token,
                whose,
                not_before,
            });
        });
    }
}

// === impl Limit ===

impl Limit {
    fn new(whole: Duration) -> Self {
        Self {
            began: monotonic(),
            whole,
        }
    }

    fn left(&self) -> Duration {
        self.whole.saturating_sub(since(self.began))
    }
}
