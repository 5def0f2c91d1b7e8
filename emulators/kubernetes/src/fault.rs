use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::StatusCode;
use tokio::sync::watch;

/// What goes wrong with the API server, for [`User::Proxy`](crate::User::Proxy) alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Requests are answered with this status, as a `Status` object.
    Error {
        /// The HTTP status, such as 500.
        status: StatusCode,
        /// The `reason`, such as `InternalError`; none for the one that the server has for the status.
        reason: Option<String>,
    },
    /// Requests are answered this much later, in real time.
    Delay(Duration),
    /// Requests are left without an answer: the connection is closed.
    Down,
    /// Watches end: the open ones at once, new ones as soon as they have told what was there.
    DropWatch,
    /// The history is forgotten, and watches end with an in-stream 410: the open ones at once, new ones unless they
    /// begin with what is there.
    Gone,
}

/// What a fault did until it was healed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRecord {
    /// The fault.
    pub fault: Fault,
    /// Requests that met it, or watches that it has ended.
    pub met: u32,
    /// How often it would still have been met, if it was injected for a number of times.
    pub left: Option<u32>,
}

/// The faults of one cluster.
#[derive(Debug)]
pub(crate) struct Faults {
    injected: Mutex<Vec<FaultRecord>>,
    /// Wakes the open watches, which may have met a new fault.
    changed: watch::Sender<()>,
}

/// How a watch is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WatchEnd {
    /// Without a word.
    Dropped,
    /// With an `ERROR` 410.
    Gone,
}

// === impl Faults ===

impl Faults {
    pub(crate) fn new() -> Self {
        Self {
            injected: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<FaultRecord>> {
        self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn inject(&self, fault: Fault, times: Option<u32>) {
        self.lock().push(FaultRecord {
            fault,
            met: 0,
            left: times,
        });
        self.changed.send_replace(());
    }

    pub(crate) fn heal(&self) -> Vec<FaultRecord> {
        std::mem::take(&mut *self.lock())
    }

    pub(crate) fn changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// What befalls a request that arrives now: all delays together, and the first error.
    pub(crate) fn of_request(&self) -> (Duration, Option<(StatusCode, Option<String>)>) {
        let (mut delay, mut error) = (Duration::ZERO, None);
        for record in self.lock().iter_mut() {
            match record.fault.clone() {
                Fault::Delay(more) if record.meet() => delay = delay.saturating_add(more),
                Fault::Error { status, reason } if error.is_none() && record.meet() => error = Some((status, reason)),
                _ => {}
            }
        }
        (delay, error)
    }

    /// Whether a request that arrives now is left without an answer.
    pub(crate) fn is_down(&self) -> bool {
        let mut faults = self.lock();
        faults
            .iter_mut()
            .any(|record| record.fault == Fault::Down && record.meet())
    }

    /// Whether a watch that waits for changes is to end.
    pub(crate) fn of_watch(&self) -> Option<WatchEnd> {
        self.lock().iter_mut().find_map(|record| {
            let end = match record.fault {
                Fault::DropWatch => WatchEnd::Dropped,
                Fault::Gone => WatchEnd::Gone,
                // What is open when a server goes down is cut off.
                Fault::Down => WatchEnd::Dropped,
                Fault::Error { .. } | Fault::Delay(_) => return None,
            };
            record.meet().then_some(end)
        })
    }

    /// Whether a watch from a version is answered that the version is gone.
    pub(crate) fn version_is_gone(&self) -> bool {
        let mut faults = self.lock();
        faults
            .iter_mut()
            .any(|record| record.fault == Fault::Gone && record.meet())
    }
}

// === impl FaultRecord ===

impl FaultRecord {
    /// Meets the fault once more, if it is not used up.
    fn meet(&mut self) -> bool {
        match &mut self.left {
            Some(0) => return false,
            Some(left) => *left -= 1,
            None => {}
        }
        self.met = self.met.saturating_add(1);
        true
    }
}
