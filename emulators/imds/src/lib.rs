//! The EC2 instance metadata service of each node.
//!
//! One [`Imds`] serves all nodes of a world on one address, as the link-local address does on real instances, and knows
//! the node by the address that asks: its own, or that of a pod on it. It answers IMDSv1 and IMDSv2 as AWS documents
//! them ("Use the Instance Metadata Service", EC2 User Guide), with one exception: it is *generous*. It serves every
//! spelling of a path that some server would fold to it, so that a proxy which lets an odd spelling through is seen to
//! give the node's secrets away. It keeps a journal of what it was asked.

mod answer;
mod credentials;
mod fault;
mod instance;
mod journal;
mod service;
mod session;
mod spelling;
mod tree;

pub use credentials::{Credentials, InstanceCredentials};
pub use fault::{Fault, FaultRecord};
pub use instance::{Directory, Instance, Tokens};
pub use journal::ImdsRequest;
pub use service::Imds;
