use std::{collections::HashMap, time::Duration};

use crate::answer::Refusal;

/// What goes wrong with a service, for requests by [`Door::World`](crate::Door::World) alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Requests with valid credentials are answered with this AWS error code, such as `Throttling`.
    Error(String),
    /// Requests are answered this much later, in real time.
    Delay(Duration),
    /// Requests are left without an answer: the connection is closed.
    Down,
}

/// What a fault did until it was healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRecord {
    /// Requests that met it.
    pub met: u32,
    /// How often it would still have been met, if it was planned for a number of times.
    pub left: Option<u32>,
}

/// The faults planned, by the service's signing name.
#[derive(Debug, Default)]
pub(crate) struct Faults(HashMap<String, Vec<Planned>>);

#[derive(Debug)]
struct Planned {
    fault: Fault,
    record: FaultRecord,
}

// === impl Faults ===

impl Faults {
    /// Several faults of one service hold at once.
    pub(crate) fn plan(&mut self, service: &str, fault: Fault, times: Option<u32>) {
        self.0.entry(service.to_owned()).or_default().push(Planned {
            fault,
            record: FaultRecord { met: 0, left: times },
        });
    }

    /// What the faults of the service did, all together.
    pub(crate) fn heal(&mut self, service: &str) -> Option<FaultRecord> {
        let records = self.0.remove(service)?.into_iter().map(|planned| planned.record);
        records.reduce(|all, one| FaultRecord {
            met: all.met.saturating_add(one.met),
            left: all.left.max(one.left),
        })
    }

    /// Whether anything is planned for a service.
    pub(crate) fn any(&self, service: &str) -> bool {
        self.0.contains_key(service)
    }

    /// The delay that a request to this service meets.
    pub(crate) fn delay(&mut self, service: &str) -> Option<Duration> {
        match self.meet(service, |fault| matches!(fault, Fault::Delay(_)))? {
            Fault::Delay(delay) => Some(delay),
            Fault::Error(_) | Fault::Down => None,
        }
    }

    /// Whether a request to this service is left without an answer.
    pub(crate) fn down(&mut self, service: &str) -> bool {
        self.meet(service, |fault| *fault == Fault::Down).is_some()
    }

    /// The error that a request to this service meets.
    pub(crate) fn error(&mut self, service: &str) -> Option<Refusal> {
        match self.meet(service, |fault| matches!(fault, Fault::Error(_)))? {
            Fault::Error(code) => Some(Refusal::new(
                status(&code),
                code,
                "This fault was injected by the scenario.",
            )),
            Fault::Delay(_) | Fault::Down => None,
        }
    }

    fn meet(&mut self, service: &str, kind: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let faults = self.0.get_mut(service)?.iter_mut();
        let planned = faults
            .filter(|planned| kind(&planned.fault))
            .find(|planned| planned.record.left != Some(0))?;
        planned.record.left = planned.record.left.map(|left| left - 1);
        planned.record.met = planned.record.met.saturating_add(1);
        Some(planned.fault.clone())
    }
}

/// The HTTP status that AWS gives these codes with; 400 for all others.
fn status(code: &str) -> u16 {
    match code {
        "InternalFailure" | "InternalError" | "InternalServiceError" => 500,
        "ServiceUnavailable" | "SlowDown" | "RequestLimitExceeded" | "Unavailable" => 503,
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "InvalidClientTokenId"
        | "RegionDisabledException" => 403,
        _ => 400,
    }
}
