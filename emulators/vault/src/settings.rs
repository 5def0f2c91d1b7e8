use std::{fmt, sync::Arc};

use rolecall_clock::Clock;
use secrecy::SecretString;

use crate::dial::{Dial, Direct};

/// What a [`Vault`](crate::Vault) is made with.
#[derive(Clone)]
pub struct Settings {
    /// The world's clock: leases, tokens and JWTs end by it.
    pub clock: Clock,
    /// How the server is found.
    pub start: Start,
    /// How it reaches AWS and Kubernetes.
    pub dial: Arc<dyn Dial>,
    /// The region of an AWS engine that is configured without one.
    pub region: String,
    /// Authorities (PEM) that the AWS endpoints' certificates are checked against; without any, `https` endpoints cannot
    /// be reached. Kubernetes' authority is configured in `auth/kubernetes`.
    pub authorities: Option<String>,
}

/// How a server is found when it starts.
#[derive(Clone)]
pub enum Start {
    /// Initialised and unsealed, with this root token. There is one key share, [`Vault::unseal_key`](crate::Vault::unseal_key).
    Dev {
        /// The root token.
        root_token: SecretString,
    },
    /// Neither initialised nor unsealed; `sys/init` does the first.
    Uninitialised,
}

// === impl Settings ===

impl Settings {
    /// A dev server that dials from this process's network, in `us-east-1`.
    pub fn dev(clock: Clock, root_token: &str) -> Self {
        Self {
            clock,
            start: Start::Dev {
                root_token: root_token.into(),
            },
            dial: Arc::new(Direct),
            region: "us-east-1".to_owned(),
            authorities: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("start", &self.start)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

// === impl Start ===

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dev { .. } => "Dev",
            Self::Uninitialised => "Uninitialised",
        })
    }
}
