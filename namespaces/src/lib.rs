//! Linux namespaces held by threads: networks of many hosts in one process.
//!
//! A process that builds such a network enters it in this order, before it has a second thread:
//!
//! 1. [`enter_user_namespace`] makes it root in a user namespace of its own. It stays in the host's network.
//! 2. [`PidNamespace::fork`] starts the init of a PID namespace. Whatever runs in that namespace ends with the process,
//!    even with `kill -9`.
//! 3. Then runtimes may start, and each [`Namespace`] is one host: a thread with a network and a mount namespace of its
//!    own. A socket belongs to the namespace of the thread that makes it and may then be served by any runtime, and a
//!    child inherits the namespaces of the thread that starts it; so the thread makes sockets, starts children and
//!    builds the network ([`Inside`]), and does nothing else.
//!
//! No external program is needed, and no privilege beyond user namespaces; where those are forbidden, [`obstacles`]
//! says what forbids them.

mod error;
mod init;
mod inside;
mod namespace;
mod neighbour;
mod obstacle;
mod pid;
mod pod_directories;
mod sockets;
mod user;
mod wire;

pub use error::Error;
pub use inside::Inside;
pub use namespace::{Namespace, NetworkNamespace};
pub use obstacle::{Obstacle, obstacles};
pub use pid::PidNamespace;
pub use pod_directories::PodDirectories;
pub use user::enter_user_namespace;
pub use wire::Wire;
