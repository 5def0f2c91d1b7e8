//! Faults of the services, in the control listener's words.

use std::time::Duration;

use http::StatusCode;
use rolecall_vault::Forwarder;

use super::{Fault, Healed, routes::Refused};
use crate::serve::{
    relay::Relay,
    services::{Current, Services},
};

/// Begins a fault of `imds`, of `vault`, or of a service of AWS by its signing name.
///
/// # Errors
/// The service cannot fail in this way.
pub(super) fn inject(current: &Current, service: &str, fault: Fault) -> Result<(), Refused> {
    match (service, fault) {
        ("vault", fault) => {
            let (fault, times) = of_vault(fault)?;
            vault(current)?.inject(fault, times);
        }
        ("imds", fault) => {
            let (fault, times) = of_imds(fault)?;
            current.imds.inject(fault, times);
        }
        (service, fault) => {
            let (fault, times) = of_aws(fault)?;
            current.front.inject(service, fault, times);
        }
    }
    Ok(())
}

/// Ends the faults of a service, and tells what they did.
///
/// # Errors
/// There is none.
pub(super) fn heal(current: &Current, service: &str) -> Result<Healed, Refused> {
    let records: Vec<(u32, Option<u32>)> = match service {
        "vault" => {
            let records = vault(current)?.heal();
            records.iter().map(|record| (record.met, record.left)).collect()
        }
        "imds" => {
            let records = current.imds.heal();
            records.iter().map(|record| (record.met, record.left)).collect()
        }
        service => {
            let record = current.front.heal(service);
            record.iter().map(|record| (record.met, record.left)).collect()
        }
    };
    if records.is_empty() {
        let message = format!("{service} has no fault to heal");
        return Err(Refused::new(StatusCode::NOT_FOUND, message));
    }
    Ok(Healed {
        met: Some(records.iter().map(|(met, _)| *met).fold(0, u32::saturating_add)),
        left: records.iter().filter_map(|(_, left)| *left).max(),
    })
}

/// Cuts connections to the API server.
///
/// # Errors
/// None are passed on here, or it is another fault.
pub(super) fn cut(services: &Services, fault: &Fault) -> Result<(), Refused> {
    let relay = relay(services)?;
    match fault {
        Fault::DropWatch { times } => {
            relay.cut(*times);
            Ok(())
        }
        _ => Err(Refused::bad(
            "what is passed on to the API server is not seen here: the one fault of kubernetes is `drop_watch`",
        )),
    }
}

/// Cuts no more of them, and tells how many were.
///
/// # Errors
/// None are passed on here, or none were to be cut.
pub(super) fn mend(services: &Services) -> Result<Healed, Refused> {
    let healed = relay(services)?.heal();
    healed.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "kubernetes has no fault to heal"))
}

fn relay(services: &Services) -> Result<&Relay, Refused> {
    services.relay().ok_or_else(|| {
        let message = "connections to an API server are not passed on here: start `rolecall serve world` with --kubernetes \
                       and --api-server";
        Refused::new(StatusCode::NOT_FOUND, message)
    })
}

fn no_watches() -> Refused {
    Refused::bad("only kubernetes has watches that break off")
}

/// What stands before Vault.
///
/// # Errors
/// There is no Vault here.
pub(super) fn vault(current: &Current) -> Result<&Forwarder, Refused> {
    current.vault.as_ref().ok_or_else(|| {
        let message = "there is no Vault here: start `rolecall serve world` with --vault-upstream";
        Refused::new(StatusCode::NOT_FOUND, message)
    })
}

fn of_vault(fault: Fault) -> Result<(rolecall_vault::Fault, Option<u32>), Refused> {
    match fault {
        Fault::Delay { delay_ms } => Ok((rolecall_vault::Fault::Delay(Duration::from_millis(delay_ms)), None)),
        Fault::Down { times } => Ok((rolecall_vault::Fault::Down, times)),
        Fault::Sealed { times } => Ok((rolecall_vault::Fault::Sealed, times)),
        Fault::Status { status, times } => {
            let message = "this fault was injected by the scenario".to_owned();
            Ok((rolecall_vault::Fault::Error(status_of(status)?, message), times))
        }
        Fault::Error { .. } => Err(Refused::bad("Vault has no error codes: give a `status`")),
        Fault::DropWatch { .. } => Err(no_watches()),
    }
}

fn of_imds(fault: Fault) -> Result<(rolecall_imds::Fault, Option<u32>), Refused> {
    match fault {
        Fault::Delay { delay_ms } => Ok((rolecall_imds::Fault::Delay(Duration::from_millis(delay_ms)), None)),
        Fault::Down { times } => Ok((rolecall_imds::Fault::Down, times)),
        Fault::Status { status, times } => Ok((rolecall_imds::Fault::Error(status_of(status)?), times)),
        Fault::Error { .. } => Err(Refused::bad("the metadata service has no error codes: give a `status`")),
        Fault::DropWatch { .. } => Err(no_watches()),
        Fault::Sealed { .. } => Err(Refused::bad("only vault can be sealed")),
    }
}

fn of_aws(fault: Fault) -> Result<(rolecall_aws::Fault, Option<u32>), Refused> {
    match fault {
        Fault::Delay { delay_ms } => Ok((rolecall_aws::Fault::Delay(Duration::from_millis(delay_ms)), None)),
        Fault::Down { times } => Ok((rolecall_aws::Fault::Down, times)),
        Fault::Error { code, times } => Ok((rolecall_aws::Fault::Error(code), times)),
        Fault::Status { .. } => Err(Refused::bad(
            "services of AWS fail with error codes: give an `error` with its `code`",
        )),
        Fault::DropWatch { .. } => Err(no_watches()),
        Fault::Sealed { .. } => Err(Refused::bad("only vault can be sealed")),
    }
}

fn status_of(status: u16) -> Result<StatusCode, Refused> {
    StatusCode::from_u16(status).map_err(|_| Refused::bad(format!("{status} is no HTTP status")))
}
