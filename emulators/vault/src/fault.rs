use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::StatusCode;
use tokio::sync::watch;

/// What goes wrong at [`Door::World`](crate::Door::World).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Requests are answered with this status and the body `{"errors":[message]}`.
    Error(StatusCode, String),
    /// Connections are cut: the open ones at once, new ones as soon as they are accepted (a peer sees a reset). A
    /// connection counts once.
    Down,
    /// Requests are answered this much later, in real time.
    Delay(Duration),
    /// All but health and seal-status is answered 503 `Vault is sealed`, and those two say that it is.
    Sealed,
    /// The server is a standby that has lost its leader's connection: health says 429, and every other request is
    /// answered 307 to `leader`, such as `http://172.20.0.9:8200`.
    Standby {
        /// Scheme and authority of the leader.
        leader: String,
    },
}

/// What a fault did until it was healed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRecord {
    /// The fault.
    pub fault: Fault,
    /// Requests that met it; connections for [`Fault::Down`].
    pub met: u32,
    /// How often it would still have been met, if it was injected for a number of times.
    pub left: Option<u32>,
}

/// The faults of one server.
#[derive(Debug)]
pub(crate) struct Faults {
    injected: Mutex<Vec<FaultRecord>>,
    down: watch::Sender<bool>,
}

/// What befalls one request.
#[derive(Debug, Default)]
pub(crate) struct Met {
    pub(crate) delay: Duration,
    pub(crate) fault: Option<Fault>,
}

// === impl Faults ===

impl Faults {
    pub(crate) fn new() -> Self {
        Self {
            injected: Mutex::default(),
            down: watch::Sender::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<FaultRecord>> {
        self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn inject(&self, fault: Fault, times: Option<u32>) {
        let mut injected = self.lock();
        injected.push(FaultRecord {
            fault,
            met: 0,
            left: times,
        });
        self.tell(&injected);
    }

    pub(crate) fn heal(&self) -> Vec<FaultRecord> {
        let mut injected = self.lock();
        let records = std::mem::take(&mut *injected);
        self.tell(&injected);
        records
    }

    /// Whether connections are cut, and its changes.
    pub(crate) fn down(&self) -> watch::Receiver<bool> {
        self.down.subscribe()
    }

    /// A connection was cut; tells whether the next one will be.
    pub(crate) fn cut(&self) {
        let mut injected = self.lock();
        if let Some(record) = injected
            .iter_mut()
            .find(|record| record.fault == Fault::Down && record.left != Some(0))
        {
            record.meet();
        }
        self.tell(&injected);
    }

    /// Whether all answers are those of a sealed server.
    pub(crate) fn sealed(&self) -> bool {
        self.lock()
            .iter()
            .any(|record| record.fault == Fault::Sealed && record.left != Some(0))
    }

    /// What befalls a request that arrives now: all delays together, and the first other fault.
    pub(crate) fn of_request(&self) -> Met {
        let mut met = Met::default();
        for record in self.lock().iter_mut() {
            match &record.fault {
                Fault::Down => {}
                Fault::Delay(more) => {
                    let more = *more;
                    if record.meet() {
                        met.delay = met.delay.saturating_add(more);
                    }
                }
                fault if met.fault.is_none() => {
                    let fault = fault.clone();
                    if record.meet() {
                        met.fault = Some(fault);
                    }
                }
                _ => {}
            }
        }
        met
    }

    fn tell(&self, injected: &[FaultRecord]) {
        let down = injected
            .iter()
            .any(|record| record.fault == Fault::Down && record.left != Some(0));
        self.down.send_if_modified(|was| std::mem::replace(was, down) != down);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_for_a_number_of_times_is_met_as_often() {
        let faults = Faults::new();
        faults.inject(Fault::Sealed, Some(1));
        assert!(faults.sealed());
        assert_eq!(faults.of_request().fault, Some(Fault::Sealed));
        assert_eq!(faults.of_request().fault, None);
        assert!(!faults.sealed());
        faults.inject(Fault::Down, Some(1));
        assert!(*faults.down().borrow());
        faults.cut();
        assert!(!*faults.down().borrow());
        let healed: Vec<_> = faults.heal().iter().map(|record| (record.met, record.left)).collect();
        assert_eq!(healed, [(1, Some(0)), (1, Some(0))]);
    }
}
