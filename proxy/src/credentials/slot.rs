//! What the cache knows of one key, and what a request for it gets. No I/O, no lock: the clock's reading comes in.

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use jiff::{SignedDuration, Timestamp};

use super::Credentials;
use crate::provider::ProviderError;

/// Keys are fetched ahead in the last stretch of their time: a tenth of it, and no more than this.
const AHEAD: SignedDuration = SignedDuration::from_secs(30);

/// A failure is the answer for that long, so that a pod in a loop does not become STS's load.
pub(super) const FAILURE: SignedDuration = SignedDuration::from_secs(1);

/// A fetch that any number of requests wait for.
pub(crate) type Flight = Shared<BoxFuture<'static, Result<Arc<Credentials>, Arc<ProviderError>>>>;

/// For how long keys are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// When the next ones are fetched.
    pub(crate) ahead: Timestamp,
    /// When their time is over; not after they expire.
    pub(crate) until: Timestamp,
}

/// Keys in the cache.
#[derive(Clone, Debug)]
struct Held {
    credentials: Arc<Credentials>,
    term: Term,
}

#[derive(Debug, Default)]
pub(crate) struct Slot {
    held: Option<Held>,
    /// Fetched ahead; takes over when the time of `held` is over.
    next: Option<Held>,
    flight: Option<Flight>,
    /// The last failure, and until when it is the answer.
    failure: Option<(Arc<ProviderError>, Timestamp)>,
    /// Counts up with each use of the cache: the smallest was not used for longest.
    pub(super) used: u64,
}

/// What a request gets.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Keys in their time.
    Serve(Arc<Credentials>),
    /// Keys in the last stretch of their time, and a fetch is to be started.
    ServeAndFetch(Arc<Credentials>),
    /// Keys whose time is over but which AWS still takes, because a fetch has just failed.
    ServeStale(Arc<Credentials>),
    /// The failure of a moment ago.
    Fail(Arc<ProviderError>),
    /// A fetch is under way.
    Wait(Flight),
    /// A fetch is to be started and waited for.
    Fetch,
}

impl Slot {
    /// What a request at `now` gets.
    pub(crate) fn decide(&mut self, now: Timestamp) -> Decision {
        self.advance(now);
        let failure = self.failure.as_ref().map(|(error, _)| error.clone());
        if let Some(held) = self.held.as_ref().filter(|held| now < held.term.until) {
            let ahead = now >= held.term.ahead;
            let idle = self.next.is_none() && self.flight.is_none() && failure.is_none();
            let credentials = held.credentials.clone();
            return if ahead && idle {
                Decision::ServeAndFetch(credentials)
            } else {
                Decision::Serve(credentials)
            };
        }
        match (failure, &self.flight) {
            (Some(error), _) => match self.stale(now, &error) {
                Some(credentials) => Decision::ServeStale(credentials),
                None => Decision::Fail(error),
            },
            (None, Some(flight)) => Decision::Wait(flight.clone()),
            (None, None) => Decision::Fetch,
        }
    }

    /// Keys that may be served at `now` although a fetch failed with `error`: they have not expired, and AWS has not
    /// said that the role is no longer given.
    pub(crate) fn stale(&self, now: Timestamp, error: &ProviderError) -> Option<Arc<Credentials>> {
        if error.is_transient() {
            self.unexpired(now)
        } else {
            None
        }
    }

    /// Keys that AWS still takes at `now`, whether or not their time in the cache is over.
    pub(crate) fn unexpired(&self, now: Timestamp) -> Option<Arc<Credentials>> {
        let held = self.held.as_ref().filter(|held| now < held.credentials.expiration)?;
        Some(held.credentials.clone())
    }

    /// A fetch has been started.
    pub(crate) fn depart(&mut self, flight: Flight) {
        self.flight = Some(flight);
    }

    /// A fetch has ended well. The keys wait for their turn while those that are held are in their time.
    pub(super) fn land(&mut self, now: Timestamp, credentials: Arc<Credentials>, term: Term) {
        let fresh = Some(Held { credentials, term });
        if self.held.as_ref().is_some_and(|held| now < held.term.until) {
            (self.next, self.failure, self.flight) = (fresh, None, None);
        } else {
            self.held = fresh;
            (self.next, self.failure, self.flight) = (None, None, None);
        }
    }

    /// A fetch has ended well, and what was held before is no longer handed out.
    pub(crate) fn replace(&mut self, credentials: Arc<Credentials>, term: Term) {
        *self = Self {
            held: Some(Held { credentials, term }),
            used: self.used,
            ..Self::default()
        };
    }

    /// A fetch has failed; that is the answer until `until`.
    pub(crate) fn fail(&mut self, error: Arc<ProviderError>, until: Timestamp) {
        self.flight = None;
        self.failure = Some((error, until));
    }

    /// The keys that are held are handed out for another time than was thought.
    pub(crate) fn change_term(&mut self, change: impl FnOnce(&Credentials) -> Term) {
        if let Some(held) = &mut self.held {
            held.term = change(&held.credentials);
        }
    }

    /// Lets the keys go, whatever their time.
    pub(crate) fn drop_keys(&mut self) {
        (self.held, self.next) = (None, None);
    }

    /// Whether there is nothing in it at `now` that a request could get or wait for, nor a failure to be remembered.
    pub(crate) fn is_empty(&mut self, now: Timestamp) -> bool {
        self.advance(now);
        self.held.is_none() && self.next.is_none() && self.flight.is_none() && self.failure.is_none()
    }

    /// Whether somebody waits for a fetch.
    pub(crate) fn is_busy(&self) -> bool {
        self.flight.is_some()
    }

    /// Lets go what is over at `now`.
    fn advance(&mut self, now: Timestamp) {
        if self.next.is_some() && self.held.as_ref().is_none_or(|held| now >= held.term.until) {
            self.held = self.next.take();
        }
        if self
            .held
            .as_ref()
            .is_some_and(|held| now >= held.credentials.expiration)
        {
            self.held = None;
        }
        if self.failure.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.failure = None;
        }
        // A fetch that died without landing has a result nevertheless.
        if self.flight.as_ref().is_some_and(|flight| flight.peek().is_some()) {
            self.flight = None;
        }
    }
}

// === impl Term ===

impl Term {
    /// Keys are handed out for `ttl`, or for half their life if that is shorter: whoever gets them last has the other
    /// half to use them in.
    pub(crate) fn of(credentials: &Credentials, ttl: Duration) -> Self {
        let life = credentials.expiration.duration_since(credentials.obtained);
        let ttl = SignedDuration::try_from(ttl)
            .unwrap_or(SignedDuration::MAX)
            .min(life / 2);
        let after = |time: SignedDuration| credentials.obtained.checked_add(time).unwrap_or(credentials.expiration);
        Self {
            ahead: after(ttl - AHEAD.min(ttl / 10)),
            until: after(ttl),
        }
    }
}

/// A flight made of a task that goes on when nobody waits for it any more.
pub(crate) fn flight(task: tokio::task::JoinHandle<Result<Arc<Credentials>, Arc<ProviderError>>>) -> Flight {
    async move { task.await.unwrap_or_else(|_| Err(Arc::new(ProviderError::Interrupted))) }
        .boxed()
        .shared()
}
