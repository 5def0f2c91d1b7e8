//! Faults of the front, the metadata service, Vault and the way to the API server, and how late IAM's changes are seen, by way of
//! the control listener.

use std::{sync::PoisonError, time::Duration};

use rolecall_scenario::model::{Fault, FaultKind, Given};

use super::KindWorld;
use crate::{
    serve::control,
    world::{FaultEnd, WorldError},
};

/// Why a fault cannot be injected in kind, before anything is started.
pub(super) fn unable(fault: &Fault) -> Option<String> {
    match fault.service.as_str() {
        "sts" | "imds" | "vault" => fault
            .kinds
            .iter()
            .find_map(|kind| of(&fault.service, kind, fault.times).err()),
        "kubernetes" if fault.kinds.iter().all(|kind| *kind == FaultKind::DropWatch) => None,
        "kubernetes" => {
            let why = "the kind world cannot let kubernetes fail but by `drop_watch`: its API server is a real one";
            Some(why.to_owned())
        }
        service => Some(format!("the kind world cannot let {service} fail")),
    }
}

// === impl KindWorld: faults ===

impl KindWorld {
    /// # Errors
    /// The service cannot fail in this way.
    pub(super) async fn begin_fault(&self, fault: &Fault) -> Result<(), WorldError> {
        for kind in &fault.kinds {
            if fault.service == "vault" && *kind == FaultKind::Sealed && fault.times.is_none() {
                self.seal_vault().await?;
                continue;
            }
            let fault_there = of(&fault.service, kind, fault.times).map_err(WorldError::new)?;
            let injected = self.ground.control.inject(&fault.service, &fault_there).await;
            injected.map_err(|error| self.steering(&error))?;
        }
        Ok(())
    }

    /// # Errors
    /// There is no such service.
    pub(super) async fn end_faults(&self, service: &str) -> Result<FaultEnd, WorldError> {
        let healed = self.ground.control.heal(service).await;
        let healed = healed.map_err(|error| self.steering(&error))?.unwrap_or_default();
        let met_sealed = match service {
            "vault" => self.unseal_vault().await?,
            _ => 0,
        };
        Ok(FaultEnd {
            met: healed.met.unwrap_or_default().saturating_add(met_sealed),
            left: healed.left.unwrap_or_default(),
        })
    }

    /// How late changes of IAM are seen.
    pub(super) fn propagation(&self) -> Duration {
        *self.propagation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes from now on are seen as late as is said; where nothing is said it stays as it was.
    ///
    /// # Errors
    /// The front does not answer.
    pub(super) async fn set_propagation(&self, given: &Given) -> Result<(), WorldError> {
        let restored = given.restored.contains("propagation").then_some(Duration::ZERO);
        let Some(delay) = given.propagation.or(restored) else {
            return Ok(());
        };
        let set = self.ground.control.set_propagation(delay).await;
        set.map_err(|error| self.steering(&error))?;
        *self.propagation.lock().unwrap_or_else(PoisonError::into_inner) = delay;
        Ok(())
    }
}

/// A fault in the control listener's words; the error says what it has no word for.
fn of(service: &str, kind: &FaultKind, times: Option<u32>) -> Result<control::Fault, String> {
    match (service, kind) {
        ("kubernetes", FaultKind::DropWatch) => Ok(control::Fault::DropWatch { times }),
        ("imds" | "vault", FaultKind::Error(code)) => match code.parse() {
            Ok(status) => Ok(control::Fault::Status { status, times }),
            Err(_) => Err(format!("{code} is no HTTP status; write one such as 503")),
        },
        (_, FaultKind::Error(code)) => Ok(control::Fault::Error {
            code: code.clone(),
            times,
        }),
        ("vault", FaultKind::Sealed) => Ok(control::Fault::Sealed { times }),
        (_, FaultKind::Down) => Ok(control::Fault::Down { times }),
        (_, FaultKind::Delay(_)) if times.is_some() => {
            Err("the kind world delays every answer until `heal`, not a number of them (`times`)".to_owned())
        }
        (_, FaultKind::Delay(delay)) => Ok(control::Fault::Delay {
            delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        }),
        (service, kind) => Err(format!("{service} has no fault {kind:?} in the kind world")),
    }
}
