use std::{collections::HashMap, time::Duration};

use crate::answer::Refusal;

/// What goes wrong with a service, for requests by [`Door::World`](crate::Door::World) alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Requests with valid credentials are answered with this AWS error code, such as `Throttling`.
    Error(String),
    /// Requests are answered this much later, in real time.
    Delay(Duration),
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
pub(crate) struct Faults(HashMap<String, Planned>);

#[derive(Debug)]
struct Planned {
    fault: Fault,
    record: FaultRecord,
}

// === impl Faults ===

impl Faults {
    /// A later fault of the same service replaces an earlier one.
    pub(crate) fn plan(&mut self, service: &str, fault: Fault, times: Option<u32>) {
        self.0.insert(
            service.to_owned(),
            Planned {
                fault,
                record: FaultRecord { met: 0, left: times },
            },
        );
    }

    pub(crate) fn heal(&mut self, service: &str) -> Option<FaultRecord> {
        self.0.remove(service).map(|planned| planned.record)
    }

    /// The delay that a request to this service meets.
    pub(crate) fn delay(&mut self, service: &str) -> Option<Duration> {
        match self.meet(service, |fault| matches!(fault, Fault::Delay(_)))? {
            Fault::Delay(delay) => Some(delay),
            Fault::Error(_) => None,
        }
    }

    /// The error that a request to this service meets.
    pub(crate) fn error(&mut self, service: &str) -> Option<Refusal> {
        match self.meet(service, |fault| matches!(fault, Fault::Error(_)))? {
            Fault::Error(code) => Some(Refusal::new(
                status(&code),
                code,
                "This fault was injected by the scenario.",
            )),
            Fault::Delay(_) => None,
        }
    }

    fn meet(&mut self, service: &str, kind: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let planned = self.0.get_mut(service).filter(|planned| kind(&planned.fault))?;
        match &mut planned.record.left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        planned.record.met += 1;
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
