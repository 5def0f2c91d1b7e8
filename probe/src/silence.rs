use std::{
    error::Error,
    io::{self, ErrorKind},
};

use crate::{Silence, SilenceKind};

// === impl Silence ===

impl Silence {
    pub(crate) fn new(kind: SilenceKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What an error of a socket means; `doing` says what was tried, and where.
    pub(crate) fn of_io(err: &io::Error, doing: &str) -> Self {
        Self::new(kind_of_io(err), format!("{doing}: {err}"))
    }

    /// What an error of the SDK's connection means, from the first socket error among its causes.
    pub(crate) fn of_error(err: &(dyn Error + 'static), timed_out: bool) -> Self {
        let mut kind = if timed_out {
            SilenceKind::TimedOut
        } else {
            SilenceKind::Other
        };
        let mut cause = Some(err);
        while let Some(err) = cause {
            if let Some(io) = err.downcast_ref::<io::Error>() {
                let found = kind_of_io(io);
                if found != SilenceKind::Other {
                    kind = found;
                    break;
                }
            }
            cause = err.source();
        }
        Self::new(kind, causes(err))
    }
}

/// An error and its causes on one line. Their `Display` alone: the `Debug` form of an SDK's error holds whole answers.
pub(crate) fn causes(err: &(dyn Error + 'static)) -> String {
    let mut line = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        let said = err.to_string();
        // Many wrappers repeat what they wrap.
        if !line.ends_with(&said) {
            line.push_str(": ");
            line.push_str(&said);
        }
        cause = err.source();
    }
    line
}

fn kind_of_io(err: &io::Error) -> SilenceKind {
    match err.kind() {
        ErrorKind::ConnectionRefused => SilenceKind::Refused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => {
            SilenceKind::Unreachable
        }
        ErrorKind::InvalidInput => SilenceKind::Unreachable,
        ErrorKind::TimedOut => SilenceKind::TimedOut,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => SilenceKind::Reset,
        ErrorKind::UnexpectedEof => SilenceKind::Closed,
        _ => SilenceKind::Other,
    }
}
