//! Who asks: from the address a connection comes from to the pod, as the Kubernetes API last said.
//!
//! A [`Watch`] keeps a [`Directory`] of pods and of namespaces. What a request reads there is a snapshot behind one
//! atomic pointer; no lock is taken.

mod directory;
mod follow;
mod lists;
mod namespaces;
mod pod;
mod watch;

pub use directory::{Directory, Unidentified};
pub use lists::Lists;
pub use namespaces::{NamespaceRecord, Namespaces};
pub use pod::{AnnotationKeys, PodRecord};
pub use watch::{Cluster, ClusterError, Watch};
