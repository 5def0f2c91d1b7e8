//! A proxy in this process with a Vault behind it, and requests of pods to it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use kube::{Client, Config};
use rolecall_accept::{CancellationToken, Limits, Peer, Transport, serve};
use rolecall_clock::Clock;
use rolecall_proxy::{
    answer::{Passthrough, Pipeline, Restriction, Rules, Tokens},
    credentials::{Cache, Key},
    flags::MetadataAddr,
    may::{AllowedRoles, RestrictionFormat},
    metrics::Metrics,
    provider::{Fetching, Provider, ProviderError},
    vault::{ServiceAccounts, Vault, VaultSettings},
    which::Base,
    who::{Directory, NamespaceRecord, Namespaces, PodRecord},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket},
};

use crate::{fake::Fake, log};

/// How long anything may take before a test gives up.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/";

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) fake: Fake,
    pub(crate) pods: Arc<Directory>,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) vault: Option<Vault>,
    pub(crate) metrics: Metrics,
    address: SocketAddr,
    fake_at: SocketAddr,
    stop: CancellationToken,
}

pub(crate) struct Options {
    pub(crate) restricted: bool,
    pub(crate) vault: bool,
    pub(crate) timeout: Duration,
    pub(crate) auth_role: Option<&'static str>,
    /// Where Vault is, if not with the API server.
    pub(crate) address: Option<String>,
    pub(crate) ca_cert: Option<std::path::PathBuf>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// AWS, which no test here asks.
struct Nobody;

impl Default for Options {
    fn default() -> Self {
        Self {
            restricted: false,
            vault: true,
            timeout: LONG,
            auth_role: None,
            address: None,
            ca_cert: None,
        }
    }
}

impl World {
    pub(crate) async fn new(options: Options) -> Self {
        log::start();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Clock::stopped();
        let (fake, fake_at, stop) = Fake::start(&clock).await;
        let pods = Arc::new(Directory::new());
        pods.replace(Vec::new());
        let namespaces = Arc::new(Namespaces::new());
        namespaces.replace(Vec::new());
        let metrics = Metrics::new();
        let url = format!("http://{fake_at}");
        let mut config = Config::new(url.parse().expect("a URL"));
        config.default_retry = false;
        let accounts = ServiceAccounts::new(Client::try_from(config).expect("a client"), "vault".to_owned());
        let settings = VaultSettings {
            address: options.address.unwrap_or(url).parse().expect("an address"),
            ca_cert: options.ca_cert,
            auth_mount: "kubernetes".parse().expect("a mount"),
            auth_role: options.auth_role.map(str::to_owned),
            mount: "aws".parse().expect("a mount"),
            audience: "vault".to_owned(),
            timeout: options.timeout,
        };
        let vault = options.vault.then(|| {
            Vault::new(settings, accounts, pods.clone(), clock.clone(), metrics.clone()).expect("authorities")
        });
        let restriction = if options.restricted {
            Restriction::On(namespaces.clone())
        } else {
            Restriction::Off
        };
        let pipeline = Arc::new(Pipeline {
            rules: Rules {
                base: Base::Given("arn:aws:iam::123456789012:role/".parse().expect("a base ARN")),
                default_role: Some("fallback".parse().expect("a role")),
                restriction,
                require_token: false,
            },
            pods: pods.clone(),
            cache: Cache::new(Arc::new(Nobody), clock.clone(), LONG, metrics.clone()),
            vault: vault.clone(),
            tokens: Tokens::new(clock.clone()),
            passthrough: Passthrough::new(
                Vec::new(),
                MetadataAddr("127.0.0.1:9".parse().expect("an address")),
                clock.clone(),
            ),
            metrics: metrics.clone(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let answering = move |peer: Peer, request| {
            let pipeline = pipeline.clone();
            async move { pipeline.answer(peer.remote, request).await }
        };
        tokio::spawn(serve(
            listener,
            Transport::Plain,
            Limits::default(),
            stop.clone(),
            answering,
        ));
        if let Some(vault) = vault.clone() {
            tokio::spawn(vault.keep());
        }
        Self {
            clock,
            fake,
            pods,
            namespaces,
            vault,
            metrics,
            address,
            fake_at,
            stop,
        }
    }

    /// The URL of the Vault that shares the API server's address.
    pub(crate) fn leader(&self) -> String {
        format!("http://{}", self.fake_at)
    }

    /// A live pod with that service account that names a Vault role.
    pub(crate) fn pod(&self, account: &str, role: &str) -> PodRecord {
        let pod = a_pod(account, role);
        self.pods.apply(pod.clone());
        pod
    }

    /// A namespace with this list of allowed roles.
    pub(crate) fn allow(&self, list: Option<&str>) {
        self.namespaces.apply(NamespaceRecord {
            name: "jobs".to_owned(),
            allowed_roles: Arc::new(AllowedRoles::read(list, RestrictionFormat::Glob)),
        });
    }

    pub(crate) async fn get(&self, pod: &PodRecord, path: &str) -> Answer {
        let exchange = exchange(pod.addresses[0], self.address, path);
        tokio::time::timeout(LONG, exchange).await.expect("an answer in time")
    }

    pub(crate) async fn keys(&self, pod: &PodRecord) -> Answer {
        let role = pod.vault_role.clone().unwrap_or_default();
        self.get(pod, &format!("{CREDENTIALS}{role}")).await
    }

    /// The document that the pod gets.
    pub(crate) async fn document(&self, pod: &PodRecord) -> Value {
        let answer = self.keys(pod).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).expect("JSON")
    }

    pub(crate) async fn key(&self, pod: &PodRecord) -> String {
        self.document(pod).await["AccessKeyId"]
            .as_str()
            .expect("a key id")
            .to_owned()
    }

    pub(crate) fn vault(&self) -> &Vault {
        self.vault.as_ref().expect("a Vault")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Provider for Nobody {
    fn fetch(&self, key: Key) -> Fetching {
        Box::pin(async move {
            Err(Arc::new(ProviderError::Refused(format!(
                "{} was asked of STS",
                key.role_arn
            ))))
        })
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, waiting)
        .await
        .unwrap_or_else(|_| panic!("{what}: not in time"));
}

/// A pod of its own address, name and UID, that nobody has been told of.
pub(crate) fn a_pod(account: &str, role: &str) -> PodRecord {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst) + 1;
    let [high, low] = number.to_be_bytes();
    PodRecord {
        uid: format!("uid-{number}"),
        namespace: "jobs".to_owned(),
        name: format!("pod-{number}-"),
        addresses: vec![IpAddr::from([127, 1, high, low])],
        live: true,
        role: None,
        external_id: None,
        vault_role: Some(role.to_owned()),
        service_account: account.to_owned(),
    }
}

async fn exchange(source: IpAddr, target: SocketAddr, path: &str) -> Answer {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(source, 0)).expect("a loopback address");
    let mut stream = socket.connect(target).await.expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nHost: 169.254.169.254\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sending");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Answer {
        status: status.expect("a status line"),
        body: body.to_owned(),
    }
}
