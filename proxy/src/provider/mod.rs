//! Where keys come from: AWS STS, asked with the node's own credentials.

mod discovery;
mod node;
mod sts;

use std::{future::Future, pin::Pin, sync::Arc};

pub use node::NodeAccount;
pub use sts::StsProvider;

use crate::{
    credentials::{Credentials, Key},
    vault::VaultError,
};

/// Gives keys for a role. A provider is called once for any number of pods that wait, and never caches by itself.
pub trait Provider: Send + Sync + 'static {
    /// Obtains fresh keys, within a few seconds.
    fn fetch(&self, key: Key) -> Fetching;
}

/// What [`Provider::fetch`] gives: a future of its own, which outlives the request that began it.
pub type Fetching = Pin<Box<dyn Future<Output = Result<Credentials, Arc<ProviderError>>> + Send>>;

/// Why there are no keys. What it says is for the log: it may name the node's own role, which pods are not told.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProviderError {
    /// AWS's policies say no: neither the cache nor another attempt may help against that.
    #[error("STS denied AssumeRole: {0}")]
    Denied(String),
    /// STS answered, and it was neither keys nor a denial: the request, or the node's own keys, are not in order.
    #[error("STS refused AssumeRole: {0}")]
    Refused(String),
    /// STS is overloaded, out of order or cannot be reached; keys that are still valid go on being served.
    #[error("STS could not be asked: {0}")]
    Unavailable(String),
    /// Vault gave none.
    #[error(transparent)]
    Vault(VaultError),
    /// The proxy holds as many keys as it may, all of them being fetched.
    #[error("too many roles are being fetched at once")]
    Busy,
    /// The fetch ended without a result.
    #[error("the fetch was interrupted")]
    Interrupted,
}

// === impl ProviderError ===

impl ProviderError {
    /// Whether keys obtained earlier may be served although this was the answer.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Denied(_) => false,
            Self::Vault(error) => error.kind.is_transient(),
            Self::Refused(_) | Self::Unavailable(_) | Self::Busy | Self::Interrupted => true,
        }
    }
}
