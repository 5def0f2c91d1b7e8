//! Vault in the vpc: the emulator, or a real server behind a forwarder that records.

use std::{io, net::SocketAddr, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rolecall_kubernetes::User;
use rolecall_namespaces::Namespace;
use rolecall_vault::{
    Dial, Door, Entry, ExposeSecret as _, Fault, FaultRecord, Forwarder, SecretString, Settings, Vault,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

use super::{
    cloud::{Cloud, loopback, random_text},
    network::{AWS_PORT, KUBERNETES_PORT, VAULT_PORT, VPC, vpc},
};
use crate::world::{WorldError, operator::VaultAccess};

/// Where a real server listens, on the loopback of the vpc: nobody but the forwarder reaches it there.
const BEHIND: u16 = 8201;

/// How long a real server may take to start.
const START: Duration = Duration::from_secs(20);

/// Vault of one world.
#[derive(Debug)]
pub(super) struct VaultServer {
    kind: Kind,
    pub(super) access: VaultAccess,
}

#[derive(Debug)]
enum Kind {
    Emulator(Vault),
    Real {
        forwarder: Forwarder,
        /// Ends with the world.
        _server: Child,
        unseal_key: SecretString,
    },
}

/// The vpc, as a server in this process dials it.
struct FromVpc(Arc<Namespace>);

// === impl VaultServer ===

impl VaultServer {
    /// Starts it; pods, nodes and proxies reach it in the vpc, the operator on this host's loopback.
    ///
    /// # Errors
    /// A listener cannot be made, or the real server does not start.
    pub(super) async fn start(
        cloud: &Cloud,
        host: &Arc<Namespace>,
        binary: Option<&PathBuf>,
    ) -> Result<Self, WorldError> {
        let failed = |error: &dyn std::error::Error| WorldError::doing("listen in the vpc", error);
        let inside = host.listen_tcp(vpc(VAULT_PORT)).await.map_err(|error| failed(&error))?;
        let (here, address) = loopback().await?;
        let root_token: SecretString = format!("hvs.{}", random_text('a', 24)).into();
        crate::secrets::learn(root_token.expose_secret());
        let dial: Arc<dyn Dial> = Arc::new(FromVpc(host.clone()));
        let listeners = [(inside, Door::World), (here, Door::Operator)];
        let kind = match binary {
            None => {
                let settings = Settings {
                    dial,
                    region: cloud.operator.region.clone(),
                    ..Settings::dev(cloud.clock.clone(), root_token.expose_secret())
                };
                let vault = Vault::new(settings);
                for (listener, door) in listeners {
                    let (vault, stop) = (vault.clone(), cloud.stop.clone());
                    tokio::spawn(async move { ended(vault.serve(listener, door, stop).await) });
                }
                Kind::Emulator(vault)
            }
            Some(binary) => {
                let (server, unseal_key) = start_real(host, binary, &root_token).await?;
                let upstream = format!("http://127.0.0.1:{BEHIND}");
                let forwarder = Forwarder::new(&upstream, cloud.clock.clone(), dial)
                    .map_err(|error| WorldError::doing("stand before Vault", &error))?;
                for (listener, door) in listeners {
                    let (forwarder, stop) = (forwarder.clone(), cloud.stop.clone());
                    tokio::spawn(async move { ended(forwarder.serve(listener, door, stop).await) });
                }
                Kind::Real {
                    forwarder,
                    _server: server,
                    unseal_key,
                }
            }
        };
        let reviewer = cloud.cluster.token(User::TokenReviewer);
        crate::secrets::learn(reviewer.expose_secret());
        Ok(Self {
            kind,
            access: VaultAccess {
                address: format!("http://{address}"),
                root_token,
                kubernetes_host: format!("https://{VPC}:{KUBERNETES_PORT}"),
                kubernetes_ca: cloud.cluster.ca_pem().to_owned(),
                reviewer,
                aws: format!("http://{VPC}:{AWS_PORT}"),
                region: cloud.operator.region.clone(),
            },
        })
    }

    /// Where pods, nodes and proxies reach it.
    pub(super) fn address() -> String {
        format!("http://{VPC}:{VAULT_PORT}")
    }

    pub(super) fn journal_mark(&self) -> u64 {
        match &self.kind {
            Kind::Emulator(vault) => vault.journal_mark(),
            Kind::Real { forwarder, .. } => forwarder.journal_mark(),
        }
    }

    /// What was asked from this number on, but for what the operator asked.
    pub(super) fn journal_since(&self, number: u64) -> Vec<Entry> {
        let mut entries = match &self.kind {
            Kind::Emulator(vault) => vault.journal_since(number),
            Kind::Real { forwarder, .. } => forwarder.journal_since(number),
        };
        entries.retain(|entry| entry.door == Door::World);
        entries
    }

    /// Lets what ends by the world's clock end.
    pub(super) async fn settle(&self) {
        if let Kind::Emulator(vault) = &self.kind {
            vault.settle().await;
        }
    }

    pub(super) fn inject(&self, fault: Fault, times: Option<u32>) {
        match &self.kind {
            Kind::Emulator(vault) => vault.inject(fault, times),
            Kind::Real { forwarder, .. } => forwarder.inject(fault, times),
        }
    }

    pub(super) fn heal(&self) -> Vec<FaultRecord> {
        match &self.kind {
            Kind::Emulator(vault) => vault.heal(),
            Kind::Real { forwarder, .. } => forwarder.heal(),
        }
    }

    /// Every secret that is known of it.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        match &self.kind {
            Kind::Emulator(vault) => vault.secrets(),
            Kind::Real { unseal_key, .. } => vec![unseal_key.clone(), self.access.root_token.clone()],
        }
    }
}

/// Starts a dev server, and returns when it says its unseal key.
async fn start_real(
    host: &Namespace,
    binary: &PathBuf,
    root_token: &SecretString,
) -> Result<(Child, SecretString), WorldError> {
    let failed = |error: &dyn std::error::Error| WorldError::doing(format_args!("start {}", binary.display()), error);
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env("HOME", "/run")
        .env("VAULT_DEV_ROOT_TOKEN_ID", root_token.expose_secret())
        .args(["server", "-dev", "-dev-no-store-token", "-log-level=warn"])
        .arg(format!("-dev-listen-address=127.0.0.1:{BEHIND}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = host.spawn(command).await.map_err(|error| failed(&error))?;
    let Some(stdout) = child.stdout.take() else {
        return Err(WorldError::new("Vault was started without an output"));
    };
    let mut lines = BufReader::new(stdout).lines();
    let key = tokio::time::timeout(START, async {
        while let Some(line) = lines.next_line().await? {
            if let Some(key) = line.trim().strip_prefix("Unseal Key:") {
                return Ok(Some(key.trim().to_owned()));
            }
        }
        Ok::<_, io::Error>(None)
    });
    let key = key
        .await
        .map_err(|_| WorldError::new(format!("Vault did not start within {} s", START.as_secs())))?
        .map_err(|error| failed(&error))?
        .ok_or_else(|| {
            WorldError::new(format!(
                "{} ended before it served: is it Vault, and is the vpc's port {BEHIND} free?",
                binary.display()
            ))
        })?;
    // Whoever does not read what it says stops it in the end.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    crate::secrets::learn(&key);
    Ok((child, key.into()))
}

fn ended(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::error!(%error, "Vault ended");
    }
}

// === impl FromVpc ===

impl Dial for FromVpc {
    fn dial<'a>(&'a self, authority: &'a str) -> BoxFuture<'a, io::Result<TcpStream>> {
        Box::pin(async move {
            let address: SocketAddr = authority.parse().map_err(|_| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("{authority} is no address, and the vpc knows no names"),
                )
            })?;
            self.0.connect(address).await.map_err(io::Error::other)
        })
    }
}
