//! A cluster on 127.0.0.1 with two kubelets, and clients of it. The tests themselves take a `kube::Client`, so that a
//! real API server could stand in its place.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use rolecall_accept::CancellationToken;
use rolecall_clock::Clock;
use rolecall_kubernetes::{Cluster, NodeSettings, PodFile, PodRuntime, PodSandbox, User};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Semaphore};

use crate::world::{KUBECONFIG, patience};

/// A cluster, its address, and what its runtime has seen.
pub(crate) struct Embedded {
    pub(crate) cluster: Cluster,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    pub(crate) runtime: Arc<Sandboxes>,
    pub(crate) stop: CancellationToken,
}

/// A runtime that runs nothing: a start fails for the image `broken`, and a stop waits for a permit.
pub(crate) struct Sandboxes {
    pub(crate) running: Mutex<BTreeSet<String>>,
    pub(crate) stops: Mutex<Vec<Duration>>,
    pub(crate) permits: Semaphore,
    /// What each pod was given, by UID.
    pub(crate) files: Mutex<BTreeMap<String, Vec<PodFile>>>,
}

impl Embedded {
    /// A cluster whose pods stop as soon as they are asked to.
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Clock::stopped();
        let cluster = Cluster::new(clock.clone()).expect("certificates");
        let runtime = Sandboxes::new();
        let stop = CancellationToken::new();
        for (name, number) in [("master-1", 1), ("node-1", 2), ("node-2", 3)] {
            let kubelet = cluster.run_kubelet(node(name, number), runtime.clone(), stop.clone());
            tokio::spawn(kubelet);
        }
        let address = listen(&cluster, "127.0.0.1:0", stop.clone()).await;
        Self {
            cluster,
            clock,
            address,
            runtime,
            stop,
        }
    }

    /// As [`start`](Self::start), for a test of what no real API server does: with one, nothing, after saying so.
    pub(crate) async fn alone(what: &str) -> Option<Self> {
        if std::env::var_os(KUBECONFIG).is_some() {
            eprintln!("skipped: a real API server {what}");
            return None;
        }
        Some(Self::start().await)
    }

    /// How the API server is reached.
    pub(crate) async fn config(&self, user: User) -> Config {
        let kubeconfig = self.cluster.kubeconfig(&format!("https://{}", self.address), user);
        let kubeconfig = Kubeconfig::from_yaml(&kubeconfig).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        config.expect("a configuration")
    }

    /// A client of the API server.
    pub(crate) async fn client(&self, user: User) -> Client {
        client_at(&self.cluster, self.address, user).await
    }

    /// The pods of `default`, as an admin sees them.
    pub(crate) async fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client(User::Admin).await, "default")
    }
}

impl Sandboxes {
    /// A runtime that stops a pod as soon as it is asked to.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            running: Mutex::default(),
            stops: Mutex::default(),
            permits: Semaphore::new(Semaphore::MAX_PERMITS),
            files: Mutex::default(),
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A node with room for thirteen pods.
pub(crate) fn node(name: &str, number: u8) -> NodeSettings {
    NodeSettings {
        name: name.to_owned(),
        address: Ipv4Addr::new(172, 20, 0, 10 + number),
        pod_cidr: format!("10.244.{number}.0/28").parse().expect("a range"),
        provider_id: format!("aws:///us-east-1a/i-{number:017x}"),
    }
}

/// Serves the API at one more address until `stop`.
pub(crate) async fn listen(cluster: &Cluster, at: &str, stop: CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind(at).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let cluster = cluster.clone();
    tokio::spawn(async move { cluster.serve(listener, stop).await });
    address
}

pub(crate) async fn client_at(cluster: &Cluster, address: SocketAddr, user: User) -> Client {
    client_of(&cluster.kubeconfig(&format!("https://{address}"), user)).await
}

/// A client by a kubeconfig.
pub(crate) async fn client_of(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("a configuration")).expect("a client")
}

/// A pod with one container; `with` is merged into it.
pub(crate) fn pod(name: &str, with: Value) -> Pod {
    let mut pod = json!({
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "image": "example.com/app:1"}]},
    });
    merge(&mut pod, with);
    serde_json::from_value(pod).expect("a pod")
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Asks until the answer is there, or the test is over.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    match tokio::time::timeout(patience(), asking).await {
        Ok(found) => found,
        Err(_) => panic!("never came: {what}"),
    }
}

/// The pod once it runs.
pub(crate) async fn running(pods: &Api<Pod>, name: &str) -> Pod {
    eventually(&format!("{name} runs"), async || {
        let pod = pods.get(name).await.ok()?;
        (phase(&pod) == "Running").then_some(pod)
    })
    .await
}

pub(crate) fn phase(pod: &Pod) -> &str {
    pod.status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or_default()
}

pub(crate) fn address(pod: &Pod) -> &str {
    pod.status
        .as_ref()
        .and_then(|status| status.pod_ip.as_deref())
        .unwrap_or_default()
}

/// The status of a refusal: code, reason, message.
pub(crate) fn refusal<T: std::fmt::Debug>(result: kube::Result<T>) -> (u16, String, String) {
    match result {
        Err(kube::Error::Api(status)) => (status.code, status.reason.clone(), status.message.clone()),
        other => panic!("no refusal: {other:?}"),
    }
}

impl PodRuntime for Sandboxes {
    fn start(&self, pod: PodSandbox) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let containers = pod.pod.spec.map(|spec| spec.containers).unwrap_or_default();
            if containers
                .iter()
                .any(|container| container.image.as_deref() == Some("broken"))
            {
                return Err("no such image: broken".to_owned());
            }
            self.files
                .lock()
                .expect("not poisoned")
                .insert(pod.uid.clone(), pod.files);
            self.running.lock().expect("not poisoned").insert(pod.uid);
            Ok(())
        })
    }

    fn stop(&self, uid: &str, grace: Duration) -> BoxFuture<'_, ()> {
        let uid = uid.to_owned();
        Box::pin(async move {
            self.stops.lock().expect("not poisoned").push(grace);
            let permit = self.permits.acquire().await.expect("open");
            drop(permit);
            self.running.lock().expect("not poisoned").remove(&uid);
        })
    }

    fn update_files(&self, uid: &str, files: Vec<PodFile>) -> BoxFuture<'_, Result<(), String>> {
        self.files.lock().expect("not poisoned").insert(uid.to_owned(), files);
        Box::pin(async { Ok(()) })
    }
}
