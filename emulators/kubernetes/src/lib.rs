//! The part of the Kubernetes API server and kubelet that metadata proxies, kubectl and kube-rs use.
//!
//! A [`Cluster`] is an API server over real HTTPS: bearer tokens, typed validation, one version counter, watches with
//! a bounded history, bookmarks and in-stream 410. [`Cluster::run_kubelet`] adds a node whose pods are run by a
//! [`PodRuntime`], which is whatever the caller makes of a sandbox. Nothing but the HTTP API changes an object.
//!
//! [`User::Proxy`] may be kept from seeing a pod ([`Cluster::hide`]) and may meet faults ([`Cluster::inject`]); the
//! admin and the kubelets never do. DaemonSets and Deployments of `apps/v1` have their pods, made and ended inside the
//! transaction that calls for it. kubectl gets its tables, also while it watches, and may `apply`.
//!
//! # What is not here
//! Refused, never half done: server-side apply and bodies in protobuf (415), dry runs (400), all groups but the core and
//! `apps/v1` and there everything but DaemonSets and Deployments, secrets, `scale`, logs, `exec`, events, leases and
//! tokens of service accounts (404). A Deployment has no ReplicaSets and no history to roll back to, and no workload
//! adopts a pod that was there before it. OpenAPI has no schemas, so that `kubectl explain` knows nothing.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use rolecall_kubernetes::{Cluster, User};
//!
//! let cluster = Cluster::new(rolecall_clock::Clock::new())?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let server = format!("https://{}", listener.local_addr()?);
//! println!("{}", cluster.kubeconfig(&server, User::Admin));
//! cluster.serve(listener, rolecall_accept::CancellationToken::new()).await?;
//! # Ok(()) }
//! ```

mod api;
mod authentication;
mod cluster;
mod fault;
mod journal;
mod kubelet;
mod registry;
mod store;
mod users;

pub use cluster::{Cluster, ClusterError, ClusterSettings};
pub use fault::{Fault, FaultRecord};
pub use journal::RequestRecord;
pub use kubelet::{
    NodeSettings, PodCidr, PodCidrError, PodFile, PodRuntime, PodSandbox, REQUESTED_ADDRESSES, ROTATION_CHECK,
};
pub use rolecall_certificates::CertificatesError;
pub use secrecy::{ExposeSecret, SecretString};
pub use users::User;
