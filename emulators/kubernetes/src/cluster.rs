use std::{fmt, io, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use rolecall_accept::{CancellationToken, Limits, Transport};
use rolecall_certificates::{Certificates, CertificatesError};
use rolecall_clock::Clock;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    api::Api,
    authentication::Issuer,
    fault::{Fault, FaultRecord, Faults},
    journal::{Journal, RequestRecord},
    kubelet::{Kubelet, NodeSettings, PodRuntime},
    registry::Registry,
    store::{Key, Resource},
    users::{User, Users},
};

/// One cluster: an API server with its objects, its certificate authority and its users. Clones are the same cluster.
#[derive(Clone)]
pub struct Cluster {
    registry: Arc<Registry>,
    users: Arc<Users>,
    journal: Arc<Journal>,
    faults: Arc<Faults>,
    tls: Arc<Certificates>,
}

/// What a cluster is made by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    /// What the server certificate covers: DNS names and IP addresses. [`Cluster::NAMES`] by default.
    pub names: Vec<String>,
    /// `--service-account-issuer`: who signs the tokens of service accounts, a URL. It need not be the address of
    /// anything. `https://kubernetes.default.svc.cluster.local` by default.
    pub issuer: String,
}

/// A cluster could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The certificates of its API server could not be made.
    #[error("making the certificates of the API server")]
    Certificates(#[from] CertificatesError),
    /// The operating system gave no random bytes for a key.
    #[error("making a key to sign tokens with: the operating system gave no random bytes")]
    Random,
}

// === impl ClusterSettings ===

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            names: Cluster::NAMES.map(str::to_owned).to_vec(),
            issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
        }
    }
}

/// How long a connection may be without a request: an API server keeps it for 90 s (`IdleTimeout`), as long as clients do, and
/// a client must not find it closed just as it uses it again.
const IDLE: Duration = Duration::from_secs(95);

// === impl Cluster ===

impl Cluster {
    /// What the server certificate covers unless [`Cluster::with_names`] says otherwise.
    pub const NAMES: [&str; 6] = [
        "127.0.0.1",
        "172.20.0.1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
    ];

    /// A cluster with the namespaces `default` and `kube-system`, no nodes, fresh keys and fresh tokens.
    ///
    /// # Errors
    /// The certificates could not be made.
    pub fn new(clock: Clock) -> Result<Self, ClusterError> {
        Self::with_settings(clock, ClusterSettings::default())
    }

    /// As [`Cluster::new`]; the server certificate covers `names` (DNS names and IP addresses) alone.
    ///
    /// # Errors
    /// A name is neither a DNS name nor an address.
    pub fn with_names(clock: Clock, names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, ClusterError> {
        let names = names.into_iter().map(Into::into).collect();
        Self::with_settings(
            clock,
            ClusterSettings {
                names,
                ..ClusterSettings::default()
            },
        )
    }

    /// As [`Cluster::new`], by `settings`.
    ///
    /// # Errors
    /// A name is neither a DNS name nor an address, or the operating system gave no random bytes.
    pub fn with_settings(clock: Clock, settings: ClusterSettings) -> Result<Self, ClusterError> {
        let issuer = Issuer::new(settings.issuer).map_err(|_unspecified| ClusterError::Random)?;
        let users = Users::new(&issuer).map_err(|_unspecified| ClusterError::Random)?;
        Ok(Self {
            registry: Arc::new(Registry::new(clock, issuer)),
            users: Arc::new(users),
            journal: Arc::new(Journal::default()),
            faults: Arc::new(Faults::new()),
            tls: Arc::new(Certificates::issue("kubernetes", "kube-apiserver", &settings.names)?),
        })
    }

    /// Who signs the tokens of service accounts: their claim `iss`, and the API server's own audience.
    pub fn issuer(&self) -> &str {
        self.registry.issuer.url()
    }

    /// Serves the API on `listener` until `stop` is cancelled; open watches end then. May run for several listeners.
    ///
    /// # Errors
    /// The listener failed for good.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let api = Api {
            registry: self.registry.clone(),
            users: self.users.clone(),
            journal: self.journal.clone(),
            faults: self.faults.clone(),
            stop: stop.clone(),
        };
        let transport = Transport::Tls(self.tls.server.clone());
        let limits = Limits {
            head: IDLE,
            ..Limits::shared()
        };
        rolecall_accept::serve(listener, transport, limits, stop, move |peer, request| {
            api.clone().answer(peer, request)
        })
        .await
    }

    /// Adds a node and runs its kubelet until `stop` is cancelled.
    ///
    /// The `Node` is registered (or, if there is one of that name, brought up to date) before this returns; the
    /// future does the rest and must be polled. It takes on the pods already bound to the node; what has an address
    /// in its status is not started again. When it ends, sandboxes are left as they are.
    pub fn run_kubelet(
        &self,
        node: NodeSettings,
        runtime: Arc<dyn PodRuntime>,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let kubelet = Kubelet::register(self.registry.clone(), node, runtime, self.ca_pem());
        async move {
            tokio::select! {
                () = kubelet.run() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// A kubeconfig (YAML) for `user` at `server`, such as `https://172.20.0.1:6443`. It contains the user's token.
    pub fn kubeconfig(&self, server: &str, user: User) -> String {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "rolecall", "cluster": {
                "server": server,
                "certificate-authority-data": STANDARD.encode(self.ca_pem()),
            }}],
            "users": [{"name": user.name(), "user": {"token": self.token(user).expose_secret()}}],
            "contexts": [{"name": "rolecall", "context": {
                "cluster": "rolecall",
                "user": user.name(),
                "namespace": "default",
            }}],
            "current-context": "rolecall",
        });
        // JSON is YAML: should the writer refuse it, the same document still is a kubeconfig.
        serde_yaml::to_string(&config).unwrap_or_else(|_| config.to_string())
    }

    /// The certificate authority of the API server, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.tls.ca_pem
    }

    /// The bearer token of a user.
    pub fn token(&self, user: User) -> SecretString {
        self.users.token(user)
    }

    /// Forgets the history: a watch or a list from an older version than the current one is answered 410.
    pub fn compact(&self) {
        self.registry.store.compact();
    }

    /// Ends every open watch, as a restarted API server would; clients come back.
    pub fn drop_watches(&self) {
        self.registry.store.drop_watches();
    }

    /// Keeps a pod from [`User::Proxy`] and [`User::VaultProxy`]: gets, lists and watches of these users are as if it did not exist, while the
    /// admin and the kubelets see it. The pod need not exist yet, and one made anew under the name is hidden too.
    pub fn hide(&self, namespace: &str, name: &str) {
        self.set_hidden(namespace, name, true);
    }

    /// Undoes [`Cluster::hide`]; a watch of the proxy sees the pod as added.
    pub fn show(&self, namespace: &str, name: &str) {
        self.set_hidden(namespace, name, false);
    }

    fn set_hidden(&self, namespace: &str, name: &str, hidden: bool) {
        let key = Key::new(Resource::Pods, namespace, name);
        self.registry.write(|state| state.set_hidden(&key, hidden));
    }

    /// Makes the API server fail towards [`User::Proxy`] and [`User::VaultProxy`], until [`Cluster::heal`] or until it was met `times` times.
    /// Several faults hold at once.
    pub fn inject(&self, fault: Fault, times: Option<u32>) {
        if fault == Fault::Gone {
            self.compact();
        }
        self.faults.inject(fault, times);
    }

    /// Ends all faults and says what they did, in the order of their injection.
    pub fn heal(&self) -> Vec<FaultRecord> {
        self.faults.heal()
    }

    /// The last 10,000 requests over HTTP, oldest first. The kubelets' own doing is not among them.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.journal.records()
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}
