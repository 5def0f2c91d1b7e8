use std::io;

use nix::errno::Errno;

use crate::obstacle::{Obstacle, obstacles};

/// Why a namespace could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel takes a process into a user namespace only while it has one thread.
    #[error("{action} must be done while the process has one thread, and it has {threads}: do it first in main")]
    Threads {
        /// What was to be done.
        action: &'static str,
        /// How many threads the process has.
        threads: usize,
    },
    /// The system forbids namespaces, for the reasons given.
    #[error("{action} is forbidden here ({source}): {}", listed(.source, .obstacles))]
    Forbidden {
        /// What was to be done.
        action: &'static str,
        /// The kernel's answer.
        source: io::Error,
        /// The settings found that forbid it; empty if none of the known ones does.
        obstacles: Vec<Obstacle>,
    },
    /// A system call failed.
    #[error("{action}: {source}")]
    System {
        /// What was to be done, and where.
        action: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A request to the kernel's network configuration failed.
    #[error("{action}: {source}")]
    Netlink {
        /// What was to be done, and where.
        action: String,
        /// The kernel's answer.
        source: rtnetlink::Error,
    },
    /// An interface cannot be called so: 1 to 15 bytes, no slash, no white space.
    #[error("{name:?} cannot be the name of an interface: 1 to 15 bytes without slash, colon or white space")]
    InterfaceName {
        /// The name asked for.
        name: String,
    },
    /// The thread that held the namespace is gone.
    #[error("namespace {name} has ended")]
    Ended {
        /// The name of the namespace.
        name: String,
    },
    /// What was to be done in the namespace panicked. The namespace lives on.
    #[error("a job in namespace {name} panicked")]
    Panicked {
        /// The name of the namespace.
        name: String,
    },
}

fn listed(source: &io::Error, obstacles: &[Obstacle]) -> String {
    if obstacles.is_empty() && source.raw_os_error() == Some(Errno::ENOSPC as i32) {
        // The limits read in a user namespace are its own; those outside of it count too (namespaces(7)).
        return "a limit of user.max_{user,pid,net,mnt}_namespaces is reached: raise it on the host with `sysctl -w`"
            .to_owned();
    }
    if obstacles.is_empty() {
        return "no known setting explains it (inside a container or a chroot, its runtime may forbid it); \
                run it as root, or outside the container"
            .to_owned();
    }
    obstacles.iter().map(Obstacle::to_string).collect::<Vec<_>>().join("; ")
}

// === impl Error ===

impl Error {
    pub(crate) fn system(action: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::System {
            action: action.into(),
            source: source.into(),
        }
    }

    pub(crate) fn netlink(action: impl Into<String>, source: rtnetlink::Error) -> Self {
        Self::Netlink {
            action: action.into(),
            source,
        }
    }

    /// A refusal to make a namespace: with what forbids it, where the kernel's answer says that something does.
    pub(crate) fn refusal(action: &'static str, errno: Errno) -> Self {
        match errno {
            Errno::EPERM | Errno::EACCES | Errno::ENOSPC | Errno::EUSERS | Errno::ENOSYS | Errno::EINVAL => {
                Self::Forbidden {
                    action,
                    source: errno.into(),
                    obstacles: obstacles(),
                }
            }
            errno => Self::system(action, errno),
        }
    }
}
