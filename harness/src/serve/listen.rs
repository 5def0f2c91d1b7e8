//! Listeners, and what ends them.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use rolecall_accept::CancellationToken;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::ServeError;

/// A socket that listens as long as this is kept: it can be served, and be served anew by another server, without a moment
/// in which a client is refused.
#[derive(Debug)]
pub(crate) struct Listening {
    socket: std::net::TcpListener,
    address: SocketAddr,
}

// === impl Listening ===

impl Listening {
    /// Listens on `address`, which was given by `flag`.
    ///
    /// # Errors
    /// It cannot, with what to do about it.
    pub(crate) async fn on(address: SocketAddr, flag: &str) -> Result<Self, ServeError> {
        let failed = |error: io::Error| ServeError::listen(address, flag, &error);
        // tokio's lets a port be taken again while connections of a former process still linger.
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let socket = listener.into_std().map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }

    /// The address, with the port that was taken.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The socket for a server. Connections that nobody has accepted yet are the next server's.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub(crate) fn listener(&self) -> io::Result<TcpListener> {
        TcpListener::from_std(self.socket.try_clone()?)
    }
}

/// Says something that a script may wait for.
pub(crate) fn say(line: &str) {
    let mut out = anstream::stdout();
    // Nobody may be there to read it.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Is cancelled by Ctrl-C and by SIGTERM; a second one ends the process at once.
///
/// # Errors
/// Signals cannot be watched for.
pub(crate) fn stop_signal() -> Result<CancellationToken, ServeError> {
    let failed = |error: io::Error| ServeError::Unable(format!("cannot watch for signals: {error}"));
    let mut int = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut term = signal(SignalKind::terminate()).map_err(failed)?;
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = int.recv() => {}
                _ = term.recv() => {}
            }
            if cancelled.is_cancelled() {
                std::process::exit(130);
            }
            cancelled.cancel();
        }
    });
    Ok(stop)
}
