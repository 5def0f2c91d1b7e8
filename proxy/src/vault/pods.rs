use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rolecall_clock::{Clock, monotonic, since};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::{
    InvalidTrust, ServiceAccounts, VaultError, VaultErrorKind, VaultSettings,
    api::VaultApi,
    entry::{Entry, later},
    lease::{Lease, Token},
};
use crate::{
    credentials::{Credentials, Decision, Flight, Slot, flight},
    metrics::{CacheResult, Metrics},
    provider::ProviderError,
    which::VaultRole,
    who::{Directory, PodRecord},
};

/// How long a fetch is waited for while older keys are still valid. SDKs give up after a second.
const PATIENCE: Duration = Duration::from_millis(400);

/// Renewals and revocations under way at once. Fetches are not counted: a pod waits for its own.
const BACKGROUND: usize = 64;

/// Keys of Vault's roles, for one pod each. Clones share them.
///
/// A pod's keys come from a lease that its own service account got, and belong to its UID: no other pod gets them, not
/// even a later one of the same name. One fetch serves any number of requests, and one pod's slow fetch delays nobody
/// else's. Whether a time is over is decided by the clock when a request asks.
#[derive(Clone)]
pub struct Vault {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) api: VaultApi,
    accounts: ServiceAccounts,
    pub(super) settings: VaultSettings,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) pods: Arc<Directory>,
    state: Mutex<State>,
    pub(super) background: Semaphore,
    /// Fetches, renewals and revocations, so that the end can wait for them.
    pub(super) tasks: TaskTracker,
}

/// A pod's UID and the Vault role that it names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EntryKey {
    pub(super) uid: String,
    pub(super) role: VaultRole,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) entries: HashMap<EntryKey, Entry>,
    /// Roles that gave an IAM user, and until when no pod's token asks for them again.
    iam_users: HashMap<VaultRole, IamUserRole>,
    /// Tokens that could not be revoked because Vault could not be asked.
    pub(super) owed: Vec<Owed>,
    /// Nothing is fetched any more.
    pub(super) closed: bool,
    numbers: u64,
}

struct IamUserRole {
    error: Arc<ProviderError>,
    until: Timestamp,
    times: u32,
}

/// A token that is still to be revoked.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) token: Token,
    pub(super) whose: String,
    pub(super) not_before: Timestamp,
}

enum Looked {
    Answer(Result<Arc<Credentials>, Arc<ProviderError>>),
    Wait(Flight),
}

/// The time that a fetch has for all its steps.
struct Limit {
    began: Instant,
    whole: Duration,
}

// === impl Vault ===

impl Vault {
    /// Nothing is asked yet. `pods` says which pods there are, and `clock` when a time is over.
    ///
    /// # Errors
    /// If the authorities for Vault's certificate cannot be read.
    pub fn new(
        settings: VaultSettings,
        accounts: ServiceAccounts,
        pods: Arc<Directory>,
        clock: Clock,
        metrics: Metrics,
    ) -> Result<Self, InvalidTrust> {
        let api = VaultApi::new(
            settings.address.clone(),
            settings.ca_cert.as_deref(),
            clock.clone(),
            metrics.clone(),
        )?;
        Ok(Self {
            inner: Arc::new(Inner {
                api,
                accounts,
                settings,
                clock,
                metrics,
                pods,
                state: Mutex::default(),
                background: Semaphore::new(BACKGROUND),
                tasks: TaskTracker::new(),
            }),
        })
    }

    /// Keys of `role` for `pod`, kept or freshly fetched. Dropping the future does not cancel the fetch.
    ///
    /// # Errors
    /// Why there are none; the same for a while, longer if it is known that asking again does harm.
    pub async fn get(&self, pod: &Arc<PodRecord>, role: &VaultRole) -> Result<Arc<Credentials>, Arc<ProviderError>> {
        let key = EntryKey {
            uid: pod.uid.clone(),
            role: role.clone(),
        };
        let flight = match self.look(pod, &key) {
            Looked::Answer(answer) => return answer,
            Looked::Wait(flight) => flight,
        };
        let landed = match self.known(&key, Slot::unexpired) {
            None => flight.await,
            Some(credentials) => match tokio::time::timeout(PATIENCE, flight).await {
                Ok(landed) => landed,
                Err(_) => {
                    self.count(CacheResult::Stale, role);
                    return Ok(credentials);
                }
            },
        };
        let error = match landed {
            Ok(credentials) => return Ok(credentials),
            Err(error) => error,
        };
        match self.known(&key, |slot, now| slot.stale(now, &error)) {
            Some(credentials) => {
                self.count(CacheResult::Stale, role);
                Ok(credentials)
            }
            None => Err(error),
        }
    }

    /// Vault tokens held, and those that are to be revoked and could not be yet.
    pub fn tokens(&self) -> (usize, usize) {
        let state = self.inner.lock();
        let held = state.entries.values().filter(|entry| entry.token.is_some()).count();
        (held, state.owed.len())
    }

    /// Fetches, renewals and revocations under way.
    pub fn under_way(&self) -> usize {
        self.inner.tasks.len()
    }

    fn count(&self, result: CacheResult, role: &VaultRole) {
        self.inner.metrics.cache(result, &role.to_string());
    }

    fn known(
        &self,
        key: &EntryKey,
        read: impl FnOnce(&Slot, Timestamp) -> Option<Arc<Credentials>>,
    ) -> Option<Arc<Credentials>> {
        let now = self.inner.clock.wall();
        let state = self.inner.lock();
        state.entries.get(key).and_then(|entry| read(&entry.slot, now))
    }

    fn look(&self, pod: &Arc<PodRecord>, key: &EntryKey) -> Looked {
        let now = self.inner.clock.wall();
        let mut state = self.inner.lock();
        if state.closed {
            return Looked::Answer(Err(Arc::new(ProviderError::Interrupted)));
        }
        let no_session = state.iam_user(&key.role, now);
        let entry = state.entry(key);
        let (result, looked) = match entry.slot.decide(now) {
            Decision::Serve(credentials) => (CacheResult::Hit, Looked::Answer(Ok(credentials))),
            Decision::ServeAndFetch(credentials) => {
                if no_session.is_none() {
                    drop(Inner::launch(&self.inner, pod, key, entry));
                }
                (CacheResult::Hit, Looked::Answer(Ok(credentials)))
            }
            Decision::ServeStale(credentials) => (CacheResult::Stale, Looked::Answer(Ok(credentials))),
            Decision::Fail(error) => (CacheResult::Failed, Looked::Answer(Err(error))),
            Decision::Wait(flight) => (CacheResult::Joined, Looked::Wait(flight)),
            Decision::Fetch => match no_session {
                Some(error) => (CacheResult::Failed, Looked::Answer(Err(error))),
                None => {
                    let flight = Inner::launch(&self.inner, pod, key, entry);
                    (CacheResult::Miss, Looked::Wait(flight))
                }
            },
        };
        drop(state);
        self.count(result, &key.role);
        looked
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    /// Held for moments only, never while something is awaited.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a fetch as a task of its own.
    fn launch(inner: &Arc<Self>, pod: &Arc<PodRecord>, key: &EntryKey, entry: &mut Entry) -> Flight {
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
        let asking = self.accounts.token(pod);
        let jwt = match tokio::time::timeout(limit.left(), asking).await {
            Ok(jwt) => jwt?,
            Err(_) => {
                let kind = VaultErrorKind::AccountTokenUnavailable;
                return Err(VaultError::new(kind, "serviceaccounts/token", "no answer in time"));
            }
        };
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
            if error.kind.outcome() != super::Outcome::Unavailable {
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

// === impl State ===

impl State {
    fn entry(&mut self, key: &EntryKey) -> &mut Entry {
        let numbers = &mut self.numbers;
        self.entries.entry(key.clone()).or_insert_with(|| {
            *numbers += 1;
            Entry::new(*numbers)
        })
    }

    /// Why a role is not asked for at `now`, if it gave an IAM user a while ago. How often is remembered for as long
    /// again.
    fn iam_user(&mut self, role: &VaultRole, now: Timestamp) -> Option<Arc<ProviderError>> {
        let found = self.iam_users.get(role)?;
        Some(found.error.clone()).filter(|_| now < found.until)
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
