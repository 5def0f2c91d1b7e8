use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use rolecall_clock::Clock;

use super::{
    Credentials, Key,
    slot::{self, Decision, FAILURE, Flight, Slot, Term},
};
use crate::{
    metrics::{CacheResult, Metrics},
    provider::{Provider, ProviderError},
};

/// Most keys held at once; beyond, the one that was not used for longest is forgotten.
const CAPACITY: usize = 1024;

/// How long a fetch is waited for while older keys are still valid. SDKs give up after a second.
const PATIENCE: Duration = Duration::from_millis(400);

/// Hands out keys: one fetch for any number of requests, the same keys for their time, nothing past its expiration.
///
/// Whether a time is over is decided by the clock when a request asks, and nothing is fetched that nobody asks for.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    provider: Arc<dyn Provider>,
    clock: Clock,
    ttl: Duration,
    metrics: Metrics,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_key: HashMap<Key, Slot>,
    uses: u64,
}

impl Cache {
    /// An empty cache that hands out the same keys for `ttl`.
    pub fn new(provider: Arc<dyn Provider>, clock: Clock, ttl: Duration, metrics: Metrics) -> Self {
        Self {
            inner: Arc::new(Inner {
                provider,
                clock,
                ttl,
                metrics,
                slots: Mutex::default(),
            }),
        }
    }

    /// Keys for `key`, from the cache or freshly fetched. Dropping the future does not cancel the fetch.
    ///
    /// # Errors
    /// What the provider said, to all who waited and for the next second.
    pub async fn get(&self, key: &Key) -> Result<Arc<Credentials>, Arc<ProviderError>> {
        let flight = match self.look(key) {
            Looked::Answer(answer) => return answer,
            Looked::Wait(flight) => flight,
        };
        // Whoever could be served keys that are still valid is not kept longer than its client waits.
        let landed = match self.known(key, Slot::unexpired) {
            None => flight.await,
            Some(credentials) => match tokio::time::timeout(PATIENCE, flight).await {
                Ok(landed) => landed,
                Err(_) => {
                    self.inner.metrics.cache(CacheResult::Stale, &key.role_arn);
                    return Ok(credentials);
                }
            },
        };
        let error = match landed {
            Ok(credentials) => return Ok(credentials),
            Err(error) => error,
        };
        match self.known(key, |slot, now| slot.stale(now, &error)) {
            Some(credentials) => {
                self.inner.metrics.cache(CacheResult::Stale, &key.role_arn);
                Ok(credentials)
            }
            None => Err(error),
        }
    }

    fn known(
        &self,
        key: &Key,
        read: impl FnOnce(&Slot, Timestamp) -> Option<Arc<Credentials>>,
    ) -> Option<Arc<Credentials>> {
        let now = self.inner.clock.wall();
        self.inner.lock().by_key.get(key).and_then(|slot| read(slot, now))
    }

    fn look(&self, key: &Key) -> Looked {
        let now = self.inner.clock.wall();
        let mut slots = self.inner.lock();
        let Some(slot) = slots.slot(key) else {
            return Looked::Answer(Err(Arc::new(ProviderError::Busy)));
        };
        let count = |result| self.inner.metrics.cache(result, &key.role_arn);
        match slot.decide(now) {
            Decision::Serve(credentials) => {
                count(CacheResult::Hit);
                Looked::Answer(Ok(credentials))
            }
            Decision::ServeAndFetch(credentials) => {
                count(CacheResult::Hit);
                slot.depart(Inner::launch(&self.inner, key));
                Looked::Answer(Ok(credentials))
            }
            Decision::ServeStale(credentials) => {
                count(CacheResult::Stale);
                Looked::Answer(Ok(credentials))
            }
            Decision::Fail(error) => {
                count(CacheResult::Failed);
                Looked::Answer(Err(error))
            }
            Decision::Wait(flight) => {
                count(CacheResult::Joined);
                Looked::Wait(flight)
            }
            Decision::Fetch => {
                count(CacheResult::Miss);
                let flight = Inner::launch(&self.inner, key);
                slot.depart(flight.clone());
                Looked::Wait(flight)
            }
        }
    }
}

enum Looked {
    Answer(Result<Arc<Credentials>, Arc<ProviderError>>),
    Wait(Flight),
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("ttl", &self.inner.ttl)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    /// Held for moments only, never while something is awaited.
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a fetch as a task of its own.
    fn launch(inner: &Arc<Self>, key: &Key) -> Flight {
        let (inner, key) = (inner.clone(), key.clone());
        slot::flight(tokio::spawn(async move {
            let result = inner.provider.fetch(key.clone()).await.map(Arc::new);
            inner.metrics.fetched(result.as_ref().err().map(AsRef::as_ref));
            let now = inner.clock.wall();
            if let Some(slot) = inner.lock().by_key.get_mut(&key) {
                match &result {
                    Ok(credentials) => slot.land(now, credentials.clone(), Term::of(credentials, inner.ttl)),
                    Err(error) => slot.fail(error.clone(), now.saturating_add(FAILURE).unwrap_or(now)),
                }
            }
            result
        }))
    }
}

// === impl Slots ===

impl Slots {
    /// The slot of `key`; none if all are busy.
    fn slot(&mut self, key: &Key) -> Option<&mut Slot> {
        self.uses += 1;
        if !self.by_key.contains_key(key) {
            if self.by_key.len() >= CAPACITY {
                let idle = self.by_key.iter().filter(|(_, slot)| !slot.is_busy());
                let oldest = idle.min_by_key(|(_, slot)| slot.used)?.0.clone();
                self.by_key.remove(&oldest);
            }
            self.by_key.insert(key.clone(), Slot::default());
        }
        let slot = self.by_key.get_mut(key)?;
        slot.used = self.uses;
        Some(slot)
    }
}
