//! What keeps a container there while nothing is asked of it.

use nix::sys::signal::{SigSet, Signal};

/// Waits for SIGTERM or SIGINT, and ends at once: as the first process of a container, which ignores a signal that it does
/// not wait for.
pub(crate) fn pause() -> std::process::ExitCode {
    let mut ends = SigSet::empty();
    ends.add(Signal::SIGTERM);
    ends.add(Signal::SIGINT);
    match ends.thread_block().and_then(|()| ends.wait()) {
        Ok(_) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}
