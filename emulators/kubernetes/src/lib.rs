//! The part of the Kubernetes API server and kubelet that metadata proxies, kubectl and kube-rs use.
//!
//! A [`Cluster`] is an API server over real HTTPS: bearer tokens, typed validation, one version counter, watches with
//! a bounded history, bookmarks and in-stream 410. [`Cluster::run_kubelet`] adds a node whose pods are run by a
//! [`PodRuntime`], which is whatever the caller makes of a sandbox. Nothing but the HTTP API changes an object.
//!
//! # What is not here
//! Refused, never half done: server-side apply and bodies in protobuf (415), dry runs (400), `apps/v1`, secrets, logs,
//! `exec`, tokens of service accounts and OpenAPI (404; `kubectl apply` wants `--validate=false`). Lists are never
//! tables, so that `kubectl get` shows names and ages alone. Unknown fields are dropped without a warning.
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
mod cluster;
mod fault;
mod journal;
mod kubelet;
mod registry;
mod store;
mod tls;
mod users;

pub use cluster::Cluster;
pub use fault::{Fault, FaultRecord};
pub use journal::RequestRecord;
pub use kubelet::{NodeSettings, PodCidr, PodCidrError, PodRuntime, PodSandbox, REQUESTED_ADDRESSES};
pub use secrecy::{ExposeSecret, SecretString};
pub use tls::TlsError;
pub use users::User;
