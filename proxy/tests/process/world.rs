//! A proxy as a child process, and what stands around it.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use rolecall_accept::CancellationToken;
use rolecall_clock::Clock;
use rolecall_kubernetes::{Cluster, NodeSettings, PodRuntime, PodSandbox, User};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    process::{Child, Command},
};
use wiremock::MockServer;

/// How long anything may take before a test gives up. Generous, because builds may run beside.
const LONG: Duration = Duration::from_secs(30);

const NODE: &str = "node-1";
const CLOCK_TOKEN: &str = "of-this-run";

pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) sts: MockServer,
    pub(crate) metadata: MockServer,
    /// The API server's URL.
    pub(crate) server: String,
    client: Client,
    proxy: Child,
    pods_at: SocketAddr,
    admin_at: SocketAddr,
    stop: CancellationToken,
    files: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

struct NothingRuns;

impl PodRuntime for NothingRuns {
    fn start(&self, _: PodSandbox) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn stop(&self, _: &str, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl World {
    /// A cluster with one node, whose pods have addresses of 127.0.<net>.0/24, and a proxy that is ready.
    pub(crate) async fn new(net: u8, flags: &[&str]) -> Self {
        let base = ["--base-role-arn=arn:aws:iam::123456789012:role/"];
        let world = Self::starting(net, &[&base, flags].concat()).await;
        world.until_ready().await;
        world
    }

    /// The same with a proxy that has no base ARN, and that need not be ready.
    pub(crate) async fn starting(net: u8, flags: &[&str]) -> Self {
        Self::starting_as(User::Proxy, net, flags).await
    }

    /// The same with a proxy that is this user to the API server.
    pub(crate) async fn starting_as(user: User, net: u8, flags: &[&str]) -> Self {
        let cluster = Cluster::new(Clock::new()).expect("certificates");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = format!("https://{}", listener.local_addr().expect("its address"));
        let stop = CancellationToken::new();
        let node = NodeSettings {
            name: NODE.to_owned(),
            address: [127, 0, 0, 1].into(),
            pod_cidr: format!("127.0.{net}.0/24").parse().expect("a range"),
            provider_id: String::new(),
        };
        tokio::spawn(cluster.run_kubelet(node, Arc::new(NothingRuns), stop.clone()));
        tokio::spawn({
            let (cluster, stop) = (cluster.clone(), stop.clone());
            async move { cluster.serve(listener, stop).await }
        });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let admin = Kubeconfig::from_yaml(&cluster.kubeconfig(&server, User::Admin)).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(admin, &KubeConfigOptions::default())
            .await
            .expect("a config");
        let client = Client::try_from(config).expect("a client");

        let files = TempDir::new().expect("a directory");
        let kubeconfig = files.path().join("kubeconfig");
        std::fs::write(&kubeconfig, cluster.kubeconfig(&server, user)).expect("writing");
        let sts = MockServer::start().await;
        let metadata = MockServer::start().await;
        let (pods_at, admin_at) = (free_port().await, free_port().await);
        let here = [
            format!("--metadata-addr={}", metadata.address()),
            format!("--app-port={}", pods_at.port()),
            format!("--admin-addr={admin_at}"),
        ];
        let flags = here.iter().map(String::as_str).chain(flags.iter().copied());
        let proxy = start(&kubeconfig, &files, &sts.uri(), flags);
        Self {
            cluster,
            sts,
            metadata,
            server,
            client,
            proxy,
            pods_at,
            admin_at,
            stop,
            files,
        }
    }

    pub(crate) async fn until_ready(&self) {
        self.until("the proxy is ready", async |world| {
            world.admin("GET", "/readyz").await.status == 200
        })
        .await;
    }

    /// Creates a pod and gives its address once it has one.
    pub(crate) async fn pod(&self, name: &str, annotations: Value) -> String {
        let pod = serde_json::from_value(json!({
            "metadata": { "name": name, "namespace": "default", "annotations": annotations },
            "spec": { "nodeName": NODE, "containers": [{ "name": "app", "image": "app" }] },
        }));
        let pods = Api::<Pod>::namespaced(self.client.clone(), "default");
        pods.create(&PostParams::default(), &pod.expect("a pod"))
            .await
            .expect("creating a pod");
        let address = async {
            loop {
                let pod = pods.get(name).await.expect("the pod");
                if let Some(address) = pod.status.and_then(|status| status.pod_ip) {
                    return address;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, address).await.expect("an address in time")
    }

    pub(crate) async fn annotate_pod(&self, name: &str, annotations: Value) {
        let pods = Api::<Pod>::namespaced(self.client.clone(), "default");
        let patch = Patch::Merge(json!({ "metadata": { "annotations": annotations } }));
        pods.patch(name, &PatchParams::default(), &patch)
            .await
            .expect("patching a pod");
    }

    pub(crate) async fn annotate_namespace(&self, annotations: Value) {
        let patch = Patch::Merge(json!({ "metadata": { "annotations": annotations } }));
        let namespaces = Api::<Namespace>::all(self.client.clone());
        namespaces
            .patch("default", &PatchParams::default(), &patch)
            .await
            .expect("patching a namespace");
    }

    pub(crate) async fn delete_pod(&self, name: &str) {
        let pods = Api::<Pod>::namespaced(self.client.clone(), "default");
        pods.delete(name, &DeleteParams::default().grace_period(0))
            .await
            .expect("deleting a pod");
    }

    pub(crate) async fn advance(&self, by: Duration) {
        let answer = self
            .admin("POST", &format!("/clock/advance?ms={}", by.as_millis()))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Asks the proxy as the pod at `source`.
    pub(crate) async fn get(&self, source: &str, path: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nHost: 169.254.169.254");
        exchange(source, self.pods_at, &head).await.expect("an answer")
    }

    /// A connection of the pod at `source` on which one request was answered, and that stays open; none if the proxy
    /// closes it unanswered.
    pub(crate) async fn hold(&self, source: &str, path: &str) -> Option<TcpStream> {
        let asking = async {
            let socket = TcpSocket::new_v4().ok()?;
            socket
                .bind(SocketAddr::new(source.parse().expect("an address"), 0))
                .ok()?;
            let mut stream = socket.connect(self.pods_at).await.ok()?;
            let request = format!("GET {path} HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n");
            stream.write_all(request.as_bytes()).await.ok()?;
            stream.read_exact(&mut [0; 12]).await.ok()?;
            Some(stream)
        };
        tokio::time::timeout(LONG, asking).await.expect("an end in time")
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn(&Self) -> bool) {
        let waiting = async {
            while !holds(self).await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, waiting)
            .await
            .unwrap_or_else(|_| panic!("{what}: not in time"));
    }

    /// Asks the proxy to end, and waits for it. Gives its log too.
    pub(crate) async fn terminate(&mut self) -> (ExitStatus, String) {
        let id = i32::try_from(self.proxy.id().expect("it runs")).expect("a process id");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::SIGTERM).expect("a signal");
        let status = tokio::time::timeout(LONG, self.proxy.wait())
            .await
            .expect("it ends in time")
            .expect("its end");
        (
            status,
            std::fs::read_to_string(self.files.path().join("log")).expect("its log"),
        )
    }

    pub(crate) async fn admin(&self, method: &str, path: &str) -> Answer {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {CLOCK_TOKEN}");
        // While the proxy starts, nobody listens.
        exchange("127.0.0.1", self.admin_at, &head).await.unwrap_or(Answer {
            status: 0,
            body: String::new(),
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn start<'a>(kubeconfig: &Path, files: &TempDir, sts: &str, flags: impl Iterator<Item = &'a str>) -> Child {
    let log = std::fs::File::create(files.path().join("log")).expect("a log");
    Command::new(env!("CARGO_BIN_EXE_rolecall-proxy"))
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(["--node", NODE, "--host-ip=127.0.0.1", "--test-clock"])
        .args(flags)
        .env_clear()
        .env("HOME", files.path())
        .env("AWS_ENDPOINT_URL", sts)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "AKIANODE")
        .env("AWS_SECRET_ACCESS_KEY", "node-secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("ROLECALL_TEST_CLOCK_TOKEN", CLOCK_TOKEN)
        .stdin(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .expect("the proxy starts")
}

/// A port that was free a moment ago, and that no test gives twice. Below the ephemeral ports: a client that tries such
/// a one again and again before anybody listens there connects to itself one day.
async fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 100).unwrap_or_default() * 100;
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::SeqCst)) % 12_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).await.is_ok() {
            return address;
        }
    }
}

async fn exchange(source: &str, target: SocketAddr, head: &str) -> std::io::Result<Answer> {
    let asking = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source.parse::<IpAddr>().expect("an address"), 0))?;
        let mut stream = socket.connect(target).await?;
        stream
            .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
            .await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(text)
    };
    let text = tokio::time::timeout(LONG, asking).await.expect("an answer in time")?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status line");
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}
