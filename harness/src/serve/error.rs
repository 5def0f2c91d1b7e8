use std::{io, net::SocketAddr, path::Path};

use crate::report::ExitStatus;

/// Why a service does not serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// What was given is wrong: what, where and what to write instead.
    #[error("{0}")]
    Usage(String),
    /// This machine, or what the service depends on, cannot do it: what and what to do.
    #[error("{0}")]
    Unable(String),
    /// A service ended that nobody had ended.
    #[error("{what} ended: {error}")]
    Ended { what: &'static str, error: io::Error },
}

// === impl ServeError ===

impl ServeError {
    /// An address that cannot be listened on.
    pub(crate) fn listen(address: SocketAddr, flag: &str, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "something listens there already: end it, or give another port with {flag} (port 0 takes any that is free)"
            ),
            io::ErrorKind::AddrNotAvailable => {
                format!(
                    "this host does not have that address: give one of its own with {flag}, or add it to an interface"
                )
            }
            io::ErrorKind::PermissionDenied => {
                format!("ports below 1024 want CAP_NET_BIND_SERVICE: give another port with {flag}")
            }
            _ => format!("give another address with {flag}"),
        };
        Self::Unable(format!("cannot listen on {address}: {error}; {remedy}"))
    }

    /// A file that cannot be read.
    pub(crate) fn file(path: &Path, flag: &str, error: &dyn std::fmt::Display) -> Self {
        Self::Usage(format!("{flag} {}: {error}", path.display()))
    }

    /// What the program ends with.
    pub(crate) fn status(&self) -> ExitStatus {
        match self {
            Self::Usage(_) => ExitStatus::Usage,
            Self::Unable(_) => ExitStatus::NoWorld,
            Self::Ended { .. } => ExitStatus::HarnessError,
        }
    }
}
