use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use rolecall_clock::Clock;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::{
    InvalidTrust, ServiceAccounts, VaultSettings,
    api::VaultApi,
    state::{EntryKey, State},
};
use crate::{
    credentials::{Credentials, Decision, Flight, Slot},
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
    pub(super) accounts: ServiceAccounts,
    pub(super) settings: VaultSettings,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) pods: Arc<Directory>,
    state: Mutex<State>,
    pub(super) background: Semaphore,
    /// Fetches, renewals and revocations, so that the end can wait for them.
    pub(super) tasks: TaskTracker,
}

enum Looked {
    Answer(Result<Arc<Credentials>, Arc<ProviderError>>),
    Wait(Flight),
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
}
