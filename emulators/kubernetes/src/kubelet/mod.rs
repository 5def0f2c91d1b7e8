//! The kubelet of one node: it registers the node, gives the pods bound to it addresses, has them run and says so.

mod addresses;
mod files;
mod node;
mod pod_worker;
mod runtime;
mod status;
mod sync;

pub use addresses::{PodCidr, PodCidrError};
pub use files::PodFile;
pub use node::NodeSettings;
pub use pod_worker::REQUESTED_ADDRESSES;
pub use runtime::{PodRuntime, PodSandbox, ROTATION_CHECK};
pub(crate) use sync::Kubelet;
