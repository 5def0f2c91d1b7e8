//! Ctrl-C.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The first Ctrl-C (or SIGTERM) ends the running scenarios, whose worlds end with them, and a world that is held; a
/// second one ends the process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    /// Cancelled by the first.
    pub(crate) stop: CancellationToken,
    /// Whether all that is left to do is to stand: then Ctrl-C is no interruption but what was waited for.
    pub(crate) held: Arc<AtomicBool>,
}

// === impl Interrupt ===

impl Interrupt {
    /// Watches until the process ends.
    pub(crate) async fn watch(self) {
        let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            tracing::warn!("Ctrl-C cannot be watched for: it will end the process at once");
            return;
        };
        for first in [true, false] {
            tokio::select! {
                _ = int.recv() => {}
                _ = term.recv() => {}
            }
            if !first {
                std::process::exit(130);
            }
            if !self.held.load(Ordering::SeqCst) {
                let _ = writeln!(std::io::stderr(), "interrupted: cleaning up (once more to end at once)");
            }
            self.stop.cancel();
        }
    }
}
