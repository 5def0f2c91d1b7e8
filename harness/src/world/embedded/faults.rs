//! Faults of the world's services, and how late IAM's changes are seen.

use std::{sync::PoisonError, time::Duration};

use http::StatusCode;
use rolecall_scenario::model::{Fault, FaultKind, Given};

use super::{EmbeddedWorld, vault::VaultServer};
use crate::world::{FaultEnd, WorldError};

// === impl EmbeddedWorld: faults ===

impl EmbeddedWorld {
    /// # Errors
    /// The service cannot fail in this way.
    pub(super) async fn begin_fault(&self, fault: &Fault) -> Result<(), WorldError> {
        for kind in &fault.kinds {
            match fault.service.as_str() {
                "sts" => self.cloud.front.inject("sts", of_sts(kind)?, fault.times),
                "kubernetes" => self.cloud.cluster.inject(of_kubernetes(kind)?, fault.times),
                "imds" => self.cloud.imds.inject(of_imds(kind)?, fault.times),
                "vault" => self.vault()?.inject(of_vault(kind)?, fault.times).await?,
                service => return Err(WorldError::new(format!("{service} has no faults here"))),
            }
        }
        Ok(())
    }

    /// # Errors
    /// There is no such service.
    pub(super) async fn end_faults(&self, service: &str) -> Result<FaultEnd, WorldError> {
        let ended: Vec<(u32, Option<u32>)> = match service {
            "sts" => {
                let records = self.cloud.front.heal("sts").into_iter();
                records.map(|record| (record.met, record.left)).collect()
            }
            "kubernetes" => {
                let records = self.cloud.cluster.heal().into_iter();
                records.map(|record| (record.met, record.left)).collect()
            }
            "imds" => {
                let records = self.cloud.imds.heal().into_iter();
                records.map(|record| (record.met, record.left)).collect()
            }
            "vault" => self.vault()?.heal().await?,
            service => return Err(WorldError::new(format!("{service} has no faults here"))),
        };
        Ok(FaultEnd {
            met: ended.iter().map(|(met, _)| *met).fold(0, u32::saturating_add),
            left: ended.iter().filter_map(|(_, left)| *left).max().unwrap_or(0),
        })
    }

    fn vault(&self) -> Result<&VaultServer, WorldError> {
        let vault = self.vault.as_ref().map(|vault| &vault.server);
        vault.ok_or_else(|| WorldError::new("there is no Vault in this world"))
    }

    /// How late changes of IAM are seen.
    pub(super) fn propagation(&self) -> Duration {
        *self.propagation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes from now on are seen as late as is said; where nothing is said it stays as it was.
    pub(super) fn set_propagation(&self, given: &Given) {
        let restored = given.restored.contains("propagation").then_some(Duration::ZERO);
        let Some(delay) = given.propagation.or(restored) else {
            return;
        };
        self.cloud.front.set_propagation(delay);
        *self.propagation.lock().unwrap_or_else(PoisonError::into_inner) = delay;
    }
}

fn of_sts(kind: &FaultKind) -> Result<rolecall_aws::Fault, WorldError> {
    match kind {
        FaultKind::Error(code) => Ok(rolecall_aws::Fault::Error(code.clone())),
        FaultKind::Down => Ok(rolecall_aws::Fault::Down),
        FaultKind::Delay(delay) => Ok(rolecall_aws::Fault::Delay(*delay)),
        kind => Err(unknown("sts", kind)),
    }
}

fn of_kubernetes(kind: &FaultKind) -> Result<rolecall_kubernetes::Fault, WorldError> {
    match kind {
        FaultKind::Error(code) => Ok(rolecall_kubernetes::Fault::Error {
            status: status(code)?,
            reason: None,
        }),
        FaultKind::Down => Ok(rolecall_kubernetes::Fault::Down),
        FaultKind::Delay(delay) => Ok(rolecall_kubernetes::Fault::Delay(*delay)),
        FaultKind::DropWatch => Ok(rolecall_kubernetes::Fault::DropWatch),
        FaultKind::Gone => Ok(rolecall_kubernetes::Fault::Gone),
        kind @ FaultKind::Sealed => Err(unknown("kubernetes", kind)),
    }
}

fn of_imds(kind: &FaultKind) -> Result<rolecall_imds::Fault, WorldError> {
    match kind {
        FaultKind::Error(code) => Ok(rolecall_imds::Fault::Error(status(code)?)),
        FaultKind::Down => Ok(rolecall_imds::Fault::Down),
        FaultKind::Delay(delay) => Ok(rolecall_imds::Fault::Delay(*delay)),
        kind => Err(unknown("imds", kind)),
    }
}

fn of_vault(kind: &FaultKind) -> Result<rolecall_vault::Fault, WorldError> {
    match kind {
        FaultKind::Error(code) => Ok(rolecall_vault::Fault::Error(
            status(code)?,
            "this fault was injected by the scenario".to_owned(),
        )),
        FaultKind::Down => Ok(rolecall_vault::Fault::Down),
        FaultKind::Delay(delay) => Ok(rolecall_vault::Fault::Delay(*delay)),
        FaultKind::Sealed => Ok(rolecall_vault::Fault::Sealed),
        kind => Err(unknown("vault", kind)),
    }
}

/// The status of an `error:`.
fn status(code: &str) -> Result<StatusCode, WorldError> {
    code.parse()
        .map_err(|_| WorldError::new(format!("{code} is no HTTP status; write one such as 503")))
}

fn unknown(service: &str, kind: &FaultKind) -> WorldError {
    WorldError::new(format!("{service} has no fault {kind:?}"))
}
