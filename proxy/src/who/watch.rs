//! The connection to the API server.

use std::{path::PathBuf, sync::Arc};

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::watcher,
};
use secrecy::SecretString;

use super::{
    AnnotationKeys, Directory, Lists, Namespaces, PodRecord,
    follow::{Follower, Need, follow},
    lists::NamespaceFollower,
};

/// How the API server is found.
#[derive(Clone, Debug)]
pub enum Cluster {
    /// A kubeconfig file and its current context.
    Kubeconfig(PathBuf),
    /// An address, and a bearer token for it.
    Server(http::Uri, Option<SecretString>),
    /// `KUBECONFIG`, `~/.kube/config` or the pod's own service account.
    Inferred,
}

/// The API server cannot be spoken to, because of what was configured.
#[derive(Debug, thiserror::Error)]
#[error("cannot find the Kubernetes API server by {way}; give --kubeconfig, --api-server, or run in a cluster")]
pub struct ClusterError {
    way: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What is watched.
#[derive(Debug)]
pub struct Watch {
    /// Only this node's pods.
    pub node: Option<String>,
    /// The annotations of a pod that are read.
    pub keys: AnnotationKeys,
    /// What is read of namespaces.
    pub lists: Lists,
    /// Where pods are kept.
    pub pods: Arc<Directory>,
    /// Where namespaces are kept.
    pub namespaces: Arc<Namespaces>,
}

impl Watch {
    /// Keeps the directories up to date for ever.
    pub async fn run(self, client: Client) {
        let config = match &self.node {
            Some(node) => watcher::Config::default().fields(&format!("spec.nodeName={node}")),
            None => watcher::Config::default(),
        };
        let pods = follow(
            Api::all(client.clone()),
            config,
            ("pods", Need::Must),
            PodFollower {
                keys: self.keys,
                pods: self.pods,
            },
        );
        let need = if self.lists.restrict { Need::Must } else { Need::May };
        let follower = NamespaceFollower::new(self.lists, self.namespaces);
        let namespaces = follow(
            Api::all(client),
            watcher::Config::default(),
            ("namespaces", need),
            follower,
        );
        tokio::join!(pods, namespaces);
    }
}

struct PodFollower {
    keys: AnnotationKeys,
    pods: Arc<Directory>,
}

impl Follower<Pod> for PodFollower {
    type Record = PodRecord;

    fn read(&self, pod: &Pod) -> Option<PodRecord> {
        PodRecord::read(pod, &self.keys)
    }

    fn apply(&self, pod: PodRecord) {
        self.pods.apply(pod);
    }

    fn remove(&self, pod: PodRecord) {
        self.pods.remove(&pod.uid);
    }

    fn replace(&self, pods: Vec<PodRecord>) {
        self.pods.replace(pods);
    }
}

// === impl Cluster ===

impl Cluster {
    /// A client for it. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// If the configuration is absent or unusable.
    pub async fn client(self) -> Result<Client, ClusterError> {
        let (way, config) = match self {
            Self::Kubeconfig(path) => ("--kubeconfig", from_file(path).await),
            Self::Server(url, token) => {
                let mut config = Config::new(url);
                config.auth_info.token = token;
                ("--api-server", Ok(config))
            }
            Self::Inferred => ("its environment", Config::infer().await.map_err(Into::into)),
        };
        config
            .and_then(|mut config| {
                // Whoever follows a watch tries again by itself, and knows how urgent it is.
                config.default_retry = false;
                Client::try_from(config).map_err(Into::into)
            })
            .map_err(|source| ClusterError { way, source })
    }
}

async fn from_file(path: PathBuf) -> Result<Config, Box<dyn std::error::Error + Send + Sync>> {
    let file = Kubeconfig::read_from(path)?;
    Ok(Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?)
}
