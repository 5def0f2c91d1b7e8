use std::{
    fs::File,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
};

use nix::{
    fcntl::OFlag,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::{Pid, pipe2},
};

use crate::{Error, init, user::single_threaded};

const ACTION: &str = "starting a PID namespace";

/// A PID namespace, held by its init. Dropping it kills every process in it.
///
/// The init is a copy of this process that waits and reaps orphans. It is killed with the process that made it: by the
/// parent-death signal (which follows the *thread* that called [`fork`](Self::fork), so that is to be the main one) and
/// by the end of a pipe that only this process can write.
#[derive(Debug)]
pub struct PidNamespace {
    init: Pid,
    namespace: Arc<OwnedFd>,
    /// Closed on drop, and by the kernel when the process is gone.
    _lifeline: OwnedFd,
}

impl PidNamespace {
    /// Starts the init of a new PID namespace.
    ///
    /// To be called by the main thread after [`enter_user_namespace`](crate::enter_user_namespace) and before any
    /// other thread exists.
    ///
    /// # Errors
    /// [`Error::Threads`] if the process has more than one thread, [`Error::Forbidden`] with the settings that forbid
    /// it, [`Error::System`] otherwise.
    pub fn fork() -> Result<Self, Error> {
        single_threaded(ACTION)?;
        let (lifeline, kept) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| Error::system("opening a pipe", errno))?;
        let init = init::start(lifeline.as_fd(), ACTION)?;
        let path = format!("/proc/{init}/ns/pid");
        let namespace = match File::open(&path) {
            Ok(file) => Arc::new(file.into()),
            // The init ends by itself: the writing end of its pipe is dropped here.
            Err(source) => return Err(Error::system(format!("opening {path}"), source)),
        };
        Ok(Self {
            init,
            namespace,
            _lifeline: kept,
        })
    }

    /// The init's process id, as the host sees it.
    pub fn init(&self) -> u32 {
        self.init.as_raw().unsigned_abs()
    }

    /// The namespace itself, for `setns`.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }

    pub(crate) fn shared(&self) -> Arc<OwnedFd> {
        self.namespace.clone()
    }
}

// === impl PidNamespace ===

impl Drop for PidNamespace {
    fn drop(&mut self) {
        // The id cannot be another process's: only the call below reaps it.
        let _ = kill(self.init, Signal::SIGKILL);
        // Not waited for: an init is reaped after everything in its namespace, and what this process started there may
        // be waiting for this very thread to be reaped. What is left is at most one dead entry until the process ends.
        let _ = waitpid(self.init, Some(WaitPidFlag::WNOHANG));
    }
}
