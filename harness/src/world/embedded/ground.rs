//! What the process must do before it has a second thread.

use std::sync::Arc;

use rolecall_namespaces::{PidNamespace, enter_user_namespace};

use crate::world::WorldError;

/// Proof that this process is in its user namespace, and the PID namespace of its children.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    processes: Arc<PidNamespace>,
}

// === impl Ground ===

impl Ground {
    /// Enters a user namespace and starts the init of the children's PID namespace. To be called before any thread
    /// exists, and so before a runtime.
    ///
    /// # Errors
    /// [`WorldError::Unable`] with what forbids it and what to do.
    pub(crate) fn enter() -> Result<Self, WorldError> {
        // The error names the settings that forbid it, and what to do about each.
        let unable = |error: rolecall_namespaces::Error| WorldError::Unable {
            reason: error.to_string(),
        };
        raise_open_files();
        enter_user_namespace().map_err(unable)?;
        let processes = PidNamespace::fork().map_err(unable)?;
        Ok(Self {
            processes: Arc::new(processes),
        })
    }

    /// Where the world's processes live; they end with this process.
    pub(crate) fn processes(&self) -> &PidNamespace {
        &self.processes
    }
}

/// Each host of a world holds a handful of descriptors, so a run wants more than the usual soft limit. Where raising it is
/// refused the run may still fit.
fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
