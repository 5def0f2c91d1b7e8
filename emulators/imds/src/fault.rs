use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::StatusCode;

/// What goes wrong with the service's answers, until it is healed. (A service that is *down* is one that is not served.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Requests are answered with this status.
    Error {
        /// The status.
        status: StatusCode,
        /// How many requests, from now on; none for all.
        times: Option<u32>,
    },
    /// Requests are answered this much later, by the monotonic clock.
    Delay(Duration),
}

#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

// === impl Faults ===

impl Faults {
    pub(crate) fn inject(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub(crate) fn heal(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What befalls the request that arrives now: a delay, and the status it is answered with.
    pub(crate) fn next(&self) -> (Duration, Option<StatusCode>) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut delay, mut status) = (Duration::ZERO, None);
        for fault in faults.iter_mut() {
            match fault {
                Fault::Delay(more) => delay += *more,
                Fault::Error { status: fault, times } if status.is_none() && *times != Some(0) => {
                    status = Some(*fault);
                    *times = times.map(|times| times - 1);
                }
                Fault::Error { .. } => {}
            }
        }
        (delay, status)
    }
}
