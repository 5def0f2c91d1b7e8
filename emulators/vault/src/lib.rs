//! Vault 1.21's HTTP API as far as pods get AWS credentials through it, and a recording forwarder for a real one.
//!
//! A [`Vault`] answers as the real server was measured to: health and seal, mounts, policies, tokens, wrapping,
//! `auth/kubernetes` with a TokenReview of the world's API server, and the AWS engine with all four types of credentials,
//! whose calls are signed and sent to the configured endpoints. Leases and tokens end on the world's clock; what a lease
//! has made in IAM is deleted then. A [`Forwarder`] stands in front of a real server and keeps the same journal.
//!
//! Both reach other servers through a [`Dial`] only, and keep a [journal](Entry) that no token gets into.
//!
//! # What is not here
//! Every other engine and method (`secret/` among them) is answered as a route that is not there; `identity/` is mounted
//! and has no paths. Policies with parameters, wrapping times or templates, batch tokens, PEM keys and namespace selectors
//! of `auth/kubernetes`, username templates and web identities of the AWS engine are refused, never ignored.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use rolecall_vault::{Door, Settings, Vault};
//!
//! let vault = Vault::new(Settings::dev(rolecall_clock::Clock::new(), "root"));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8200").await?;
//! vault.serve(listener, Door::World, rolecall_vault::CancellationToken::new()).await?;
//! # Ok(()) }
//! ```

mod aws;
mod body;
mod core;
mod dial;
mod duration;
mod fault;
mod forwarder;
mod handler;
mod journal;
mod kubernetes;
mod lease;
mod listen;
mod mint;
mod mount;
mod outgoing;
mod policy;
mod reaper;
mod reply;
mod request;
mod route;
mod settings;
mod state;
mod sys;
mod token;
mod vault;

pub use dial::{Dial, Direct};
pub use fault::{Fault, FaultRecord};
pub use forwarder::{Forwarder, ForwarderError};
pub use journal::{Door, Entry};
pub use rolecall_accept::{CancellationToken, Transport};
pub use secrecy::{ExposeSecret, SecretString};
pub use settings::{Settings, Start};
pub use vault::Vault;
