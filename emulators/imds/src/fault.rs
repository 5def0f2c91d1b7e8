use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::StatusCode;

/// What goes wrong with the service's answers, until it is healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Requests are answered with this status.
    Error(StatusCode),
    /// Requests are answered this much later, by the monotonic clock.
    Delay(Duration),
    /// Requests are left without an answer: the connection is closed.
    Down,
}

/// What a fault did until it was healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRecord {
    /// The fault.
    pub fault: Fault,
    /// Requests that met it.
    pub met: u32,
    /// How often it would still have been met, if it was injected for a number of times.
    pub left: Option<u32>,
}

/// What befalls one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Befallen {
    pub(crate) delay: Duration,
    pub(crate) status: Option<StatusCode>,
    pub(crate) unanswered: bool,
}

#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<FaultRecord>>);

// === impl Faults ===

impl Faults {
    pub(crate) fn inject(&self, fault: Fault, times: Option<u32>) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push(FaultRecord {
            fault,
            met: 0,
            left: times,
        });
    }

    pub(crate) fn heal(&self) -> Vec<FaultRecord> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What befalls the request that arrives now: all delays together, and the first error.
    pub(crate) fn next(&self) -> Befallen {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut befallen = Befallen::default();
        for record in faults.iter_mut() {
            let fault = record.fault;
            match fault {
                Fault::Delay(more) if record.meet() => befallen.delay = befallen.delay.saturating_add(more),
                Fault::Error(status) if befallen.status.is_none() && record.meet() => befallen.status = Some(status),
                Fault::Down if !befallen.unanswered => befallen.unanswered = record.meet(),
                _ => {}
            }
        }
        befallen
    }
}

// === impl FaultRecord ===

impl FaultRecord {
    /// Meets the fault once more, if it is not used up.
    fn meet(&mut self) -> bool {
        if self.left == Some(0) {
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        self.met = self.met.saturating_add(1);
        true
    }
}
