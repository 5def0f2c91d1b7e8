//! A proxy in this process, and requests to it, sent byte for byte.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::SignedDuration;
use rolecall_accept::{CancellationToken, Limits, Peer, Transport, serve};
use rolecall_clock::Clock;
use rolecall_proxy::{
    answer::{Passthrough, Pipeline, Restriction, Rules, Tokens},
    credentials::{Cache, Credentials, Key},
    flags::MetadataAddr,
    may::{AllowedRoles, RestrictionFormat},
    metrics::Metrics,
    provider::{Fetching, Provider, ProviderError},
    which::{Base, DefaultRole, Discovery},
    who::{Directory, NamespaceRecord, Namespaces, PodRecord},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket},
    sync::Semaphore,
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

/// How long anything may take before a test gives up.
pub(crate) const LONG: Duration = Duration::from_secs(10);

/// The base ARN of all tests.
pub(crate) const BASE: &str = "arn:aws:iam::123456789012:role/";

/// The address of the pod that most tests have.
pub(crate) const POD: &str = "127.0.0.11";

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) pods: Arc<Directory>,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) sts: Arc<CountingSts>,
    pub(crate) metadata: MockServer,
    pub(crate) metrics: Metrics,
    pub(crate) discovery: Arc<Discovery>,
    stop: CancellationToken,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) restricted: bool,
    pub(crate) require_token: bool,
    pub(crate) default_role: Option<&'static str>,
    /// The base ARN is found only when the test says so.
    pub(crate) discovers: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A provider that counts, and gives numbered keys that live for half an hour.
pub(crate) struct CountingSts {
    clock: Clock,
    asked: Mutex<Vec<Key>>,
    failure: Mutex<Option<ProviderError>>,
    /// A fetch ends once it gets a permit.
    pub(crate) gate: Arc<Semaphore>,
}

impl World {
    pub(crate) async fn new(options: Options) -> Self {
        let clock = Clock::stopped();
        let metadata = MockServer::start().await;
        let SocketAddr::V4(metadata_addr) = *metadata.address() else {
            panic!("wiremock listens on IPv4")
        };
        let pods = Arc::new(Directory::new());
        let namespaces = Arc::new(Namespaces::new());
        let sts = Arc::new(CountingSts {
            clock: clock.clone(),
            asked: Mutex::default(),
            failure: Mutex::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        });
        let metrics = Metrics::new();
        let discovery = Arc::new(Discovery::default());
        let rules = ["instance-id", "placement/*", "*"].map(|rule| rule.parse().expect("a rule"));
        let pipeline = Arc::new(Pipeline {
            rules: Rules {
                base: if options.discovers {
                    Base::Discovered(discovery.clone())
                } else {
                    Base::Given(BASE.parse().expect("a base ARN"))
                },
                default_role: options
                    .default_role
                    .map(|role| role.parse::<DefaultRole>().expect("a role")),
                restriction: if options.restricted {
                    Restriction::On(namespaces.clone())
                } else {
                    Restriction::Off
                },
                require_token: options.require_token,
            },
            pods: pods.clone(),
            cache: Cache::new(sts.clone(), clock.clone(), Duration::from_secs(900), metrics.clone()),
            tokens: Tokens::new(clock.clone()),
            passthrough: Passthrough::new(rules.into(), MetadataAddr(metadata_addr), clock.clone()),
            vault: None,
            metrics: metrics.clone(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let stop = CancellationToken::new();
        tokio::spawn(serve(
            listener,
            Transport::Plain,
            Limits::default(),
            stop.clone(),
            move |peer: Peer, request| {
                let pipeline = pipeline.clone();
                async move { pipeline.answer(peer.remote, request).await }
            },
        ));
        let world = Self {
            address,
            clock,
            pods,
            namespaces,
            sts,
            metadata,
            metrics,
            discovery,
            stop,
        };
        world.pods.replace(vec![pod(POD, Some("MyPodRole"))]);
        world.namespaces.replace(Vec::new());
        world
    }

    /// A namespace with this list of allowed roles.
    pub(crate) fn allow(&self, namespace: &str, list: Option<&str>) {
        self.namespaces.apply(NamespaceRecord {
            name: namespace.to_owned(),
            allowed_roles: Arc::new(AllowedRoles::read(list, RestrictionFormat::Glob)),
        });
    }

    /// The node's metadata service answers everything, with what no pod may see.
    pub(crate) async fn metadata_answers_everything(&self) {
        Mock::given(any())
            .respond_with(ResponseTemplate::new(200).set_body_string("upstream"))
            .mount(&self.metadata)
            .await;
    }

    /// What reached the node's metadata service, as `METHOD path`.
    pub(crate) async fn metadata_was_asked(&self) -> Vec<String> {
        let requests = self.metadata.received_requests().await.unwrap_or_default();
        requests
            .iter()
            .map(|request| format!("{} {}", request.method, request.url.path()))
            .collect()
    }

    /// Sends `head` (request line and headers, without the blank line) from `source` and reads the answer.
    pub(crate) async fn send(&self, source: &str, head: &str) -> Answer {
        tokio::time::timeout(LONG, self.exchange(source, head))
            .await
            .expect("an answer in time")
    }

    pub(crate) async fn get(&self, source: &str, path: &str) -> Answer {
        self.send(source, &format!("GET {path} HTTP/1.1\r\nHost: 169.254.169.254"))
            .await
    }

    /// The access key id that the pod at `source` gets for `role`.
    pub(crate) async fn key(&self, source: &str, role: &str) -> String {
        let answer = self.get(source, &format!("{CREDENTIALS}{role}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let document: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        document["AccessKeyId"].as_str().expect("a key id").to_owned()
    }

    async fn exchange(&self, source: &str, head: &str) -> Answer {
        let socket = TcpSocket::new_v4().expect("a socket");
        let source: IpAddr = source.parse().expect("an address");
        socket.bind(SocketAddr::new(source, 0)).expect("a loopback address");
        let mut stream = socket.connect(self.address).await.expect("a connection");
        stream
            .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
            .await
            .expect("sending");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status line");
        Answer {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) const LISTING: &str = "/latest/meta-data/iam/security-credentials/";
pub(crate) const CREDENTIALS: &str = LISTING;

/// A live pod in `default` at `address`.
pub(crate) fn pod(address: &str, role: Option<&str>) -> PodRecord {
    PodRecord {
        uid: format!("uid-{address}"),
        namespace: "default".to_owned(),
        name: format!("pod-{address}"),
        addresses: vec![address.parse().expect("an address")],
        live: true,
        role: role.map(str::to_owned),
        external_id: None,
        vault_role: None,
        service_account: "default".to_owned(),
    }
}

// === impl CountingSts ===

impl CountingSts {
    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Key> {
        self.asked.lock().expect("no panic").clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.asked().len()
    }

    pub(crate) fn fail(&self, error: Option<ProviderError>) {
        *self.failure.lock().expect("no panic") = error;
    }

    /// Ends once `count` fetches have begun.
    pub(crate) async fn until_asked(&self, count: usize) {
        let asked = async {
            while self.count() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, asked).await.expect("the fetch begins");
    }
}

impl Provider for CountingSts {
    fn fetch(&self, key: Key) -> Fetching {
        let number = {
            let mut asked = self.asked.lock().expect("no panic");
            asked.push(key);
            asked.len()
        };
        let (gate, obtained) = (self.gate.clone(), self.clock.wall());
        let failure = self.failure.lock().expect("no panic").clone();
        Box::pin(async move {
            gate.acquire().await.expect("the gate stays").forget();
            if let Some(error) = failure {
                return Err(Arc::new(error));
            }
            Ok(Credentials {
                access_key_id: format!("ASIA{number}"),
                secret_access_key: "secret".to_owned(),
                session_token: "token".to_owned(),
                expiration: obtained + SignedDuration::from_secs(1800),
                obtained,
            })
        })
    }
}
