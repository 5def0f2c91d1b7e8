//! Vault in the vpc: the emulator, or a real server behind a forwarder that records.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use rolecall_kubernetes::User;
use rolecall_namespaces::Namespace;
use rolecall_vault::{
    Dial, Door, Entry, ExposeSecret as _, Fault, FaultRecord, Forwarder, SecretString, Settings, Vault,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::mpsc,
};

use super::{
    cloud::{Cloud, loopback},
    network::{AWS_PORT, KUBERNETES_PORT, VAULT_PORT, VPC, vpc},
};
use crate::{
    secrets::{learn, mask},
    world::{WorldError, operator::VaultAccess, random::random_text},
};

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
    Real(Box<Real>),
}

/// A real server, and what stands before it.
#[derive(Debug)]
struct Real {
    forwarder: Forwarder,
    /// Ends with the world.
    _server: Child,
    unseal_key: SecretString,
    /// The number of the journal's next entry when it was sealed, while it is.
    sealed_at: Mutex<Option<u64>>,
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
        // A server takes no id of its own form for its first token.
        let root_token: SecretString = format!("rolecall-{}", random_text('a', 24)).into();
        learn(root_token.expose_secret());
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
                Kind::Real(Box::new(Real {
                    forwarder,
                    _server: server,
                    unseal_key,
                    sealed_at: Mutex::default(),
                }))
            }
        };
        let reviewer = cloud.cluster.token(User::TokenReviewer);
        learn(reviewer.expose_secret());
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
            Kind::Real(real) => real.forwarder.journal_mark(),
        }
    }

    /// What was asked from this number on, but for what the operator asked.
    pub(super) fn journal_since(&self, number: u64) -> Vec<Entry> {
        let mut entries = match &self.kind {
            Kind::Emulator(vault) => vault.journal_since(number),
            Kind::Real(real) => real.forwarder.journal_since(number),
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

    /// # Errors
    /// A real server cannot be sealed.
    pub(super) async fn inject(&self, fault: Fault, times: Option<u32>) -> Result<(), WorldError> {
        match &self.kind {
            Kind::Emulator(vault) => vault.inject(fault, times),
            Kind::Real(real) if fault == Fault::Sealed && times.is_none() => {
                let sealed = real.forwarder.seal(self.access.root_token.expose_secret()).await;
                sealed.map_err(|error| WorldError::doing("seal Vault", &error))?;
                *lock(&real.sealed_at) = Some(real.forwarder.journal_mark());
            }
            Kind::Real(real) => real.forwarder.inject(fault, times),
        }
        Ok(())
    }

    /// What the faults did: requests that met one, and how many were still to meet it.
    ///
    /// # Errors
    /// A real server cannot be unsealed.
    pub(super) async fn heal(&self) -> Result<Vec<(u32, Option<u32>)>, WorldError> {
        let done = |records: Vec<FaultRecord>| records.iter().map(|record| (record.met, record.left)).collect();
        match &self.kind {
            Kind::Emulator(vault) => Ok(done(vault.heal())),
            Kind::Real(real) => {
                let mut ended: Vec<_> = done(real.forwarder.heal());
                let sealed_at = lock(&real.sealed_at).take();
                if let Some(mark) = sealed_at {
                    let unsealed = real.forwarder.unseal(real.unseal_key.expose_secret()).await;
                    unsealed.map_err(|error| WorldError::doing("unseal Vault", &error))?;
                    let met = self.journal_since(mark);
                    let met = met.iter().filter(|entry| entry.status == 503).count();
                    ended.push((u32::try_from(met).unwrap_or(u32::MAX), None));
                }
                Ok(ended)
            }
        }
    }

    /// Every secret that is known of it.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        match &self.kind {
            Kind::Emulator(vault) => vault.secrets(),
            Kind::Real(real) => vec![real.unseal_key.clone(), self.access.root_token.clone()],
        }
    }
}

/// Starts a dev server, and returns when it says its unseal key.
async fn start_real(
    host: &Namespace,
    binary: &Path,
    root_token: &SecretString,
) -> Result<(Child, SecretString), WorldError> {
    let name = binary.display();
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env("HOME", "/tmp")
        .env("VAULT_DEV_ROOT_TOKEN_ID", root_token.expose_secret())
        .args(["server", "-dev", "-dev-no-store-token", "-log-level=warn"])
        .arg(format!("-dev-listen-address=127.0.0.1:{BEHIND}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let started = host.spawn(command).await;
    let mut child = started.map_err(|error| WorldError::doing(format_args!("start {name}"), &error))?;
    let (said, mut lines) = mpsc::channel(64);
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(tell(stdout, said.clone()));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(tell(stderr, said.clone()));
    }
    drop(said);
    let mut last = VecDeque::new();
    let key = tokio::time::timeout(START, async {
        while let Some(line) = lines.recv().await {
            if let Some(key) = line.trim().strip_prefix("Unseal Key:") {
                return Some(key.trim().to_owned());
            }
            if last.len() == 10 {
                last.pop_front();
            }
            last.push_back(line);
        }
        None
    });
    let key = key.await;
    // Whoever does not read what it says stops it in the end.
    tokio::spawn(async move { while lines.recv().await.is_some() {} });
    let said = || mask(&last.iter().map(String::as_str).collect::<Vec<_>>().join("\n     "));
    match key {
        Ok(Some(key)) => {
            learn(&key);
            Ok((child, key.into()))
        }
        Ok(None) => Err(WorldError::new(format!(
            "{name} ended before it served; it said:\n     {}",
            said()
        ))),
        Err(_) => Err(WorldError::new(format!(
            "{name} did not start within {} s; it said:\n     {}",
            START.as_secs(),
            said()
        ))),
    }
}

async fn tell(output: impl AsyncRead + Unpin, said: mpsc::Sender<String>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if said.send(line).await.is_err() {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
