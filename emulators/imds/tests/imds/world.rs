use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use rolecall_accept::CancellationToken;
use rolecall_clock::Clock;
use rolecall_imds::{Credentials, Directory, Imds, Instance, InstanceCredentials, Tokens};

use crate::client::{Reply, send};

pub(crate) const NODE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
/// On the node above.
pub(crate) const POD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);
pub(crate) const OTHER_NODE: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);
pub(crate) const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 9, 9);

/// A service of two nodes on a real socket.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) imds: Imds,
    pub(crate) source: Arc<Source>,
    at: SocketAddr,
    stop: CancellationToken,
}

struct Nodes([Arc<Instance>; 2]);

/// Gives out keys that are numbered, good for an hour.
pub(crate) struct Source {
    clock: Clock,
    pub(crate) asked: AtomicU32,
    pub(crate) refuses: AtomicBool,
}

pub(crate) fn instance(node: &str, address: Ipv4Addr) -> Instance {
    let clock = Clock::stopped();
    Instance {
        node: node.to_owned(),
        instance_id: format!("i-{node}"),
        ami_id: "ami-0abc".to_owned(),
        instance_type: "m5.large".to_owned(),
        region: "eu-central-1".to_owned(),
        availability_zone: "eu-central-1b".to_owned(),
        hostname: format!("{node}.eu-central-1.compute.internal"),
        local_ipv4: address,
        account: "111122223333".to_owned(),
        role: Some("nodes.example.cluster.k8s.local".to_owned()),
        instance_profile_arn: "arn:aws:iam::111122223333:instance-profile/nodes".to_owned(),
        instance_profile_id: "AIPAEXAMPLE".to_owned(),
        user_data: "some-secret".to_owned(),
        identity_credentials: Credentials {
            access_key_id: "ASIAIDENTITY".to_owned(),
            secret_access_key: "identity-secret".to_owned(),
            token: "identity-token".to_owned(),
            expiration: clock.wall() + Duration::from_secs(6 * 3600),
            last_updated: clock.wall(),
        },
        tokens: Tokens::Optional,
        hop_limit: 2,
    }
}

// === impl World ===

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// `change` is made to the first node.
    pub(crate) async fn with(change: impl FnOnce(&mut Instance)) -> Self {
        let clock = Clock::stopped();
        let mut first = instance("node-1", NODE);
        change(&mut first);
        let nodes = Arc::new(Nodes([Arc::new(first), Arc::new(instance("node-2", OTHER_NODE))]));
        let source = Arc::new(Source {
            clock: clock.clone(),
            asked: AtomicU32::new(0),
            refuses: AtomicBool::new(false),
        });
        let imds = Imds::new(clock.clone(), nodes, source.clone());
        let listener = tokio::net::TcpListener::bind((NODE, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (service, token) = (imds.clone(), stop.clone());
        tokio::spawn(async move { service.serve(listener, token).await });
        Self {
            clock,
            imds,
            source,
            at,
            stop,
        }
    }

    /// The node's request, answered.
    pub(crate) async fn ask(&self, request_line: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask_from(NODE, request_line, headers).await
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.ask(&format!("GET {target}"), &[]).await
    }

    pub(crate) async fn ask_from(&self, from: Ipv4Addr, request_line: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask_within(from, request_line, headers, Duration::from_secs(10))
            .await
            .expect("an answer in time")
    }

    pub(crate) async fn ask_within(
        &self,
        from: Ipv4Addr,
        request_line: &str,
        headers: &[(&str, &str)],
        patience: Duration,
    ) -> Option<Reply> {
        send((from, 0).into(), self.at, request_line, headers, patience).await
    }

    /// A token for the node, good for `ttl` seconds.
    pub(crate) async fn token(&self, ttl: &str) -> String {
        let reply = self
            .ask(
                "PUT /latest/api/token",
                &[("X-aws-ec2-metadata-token-ttl-seconds", ttl)],
            )
            .await;
        assert_eq!(reply.status, 200);
        reply.body
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

// === impl Nodes ===

impl Directory for Nodes {
    fn instance_for(&self, address: IpAddr) -> Option<Arc<Instance>> {
        match address {
            IpAddr::V4(NODE | POD) => Some(self.0[0].clone()),
            IpAddr::V4(OTHER_NODE) => Some(self.0[1].clone()),
            _ => None,
        }
    }
}

// === impl Source ===

impl InstanceCredentials for Source {
    fn credentials<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<Credentials, String>> {
        async move {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            // Others get the chance to ask meanwhile.
            tokio::task::yield_now().await;
            if self.refuses.load(Ordering::SeqCst) {
                return Err("EC2 cannot assume the role".to_owned());
            }
            let now = self.clock.wall();
            Ok(Credentials {
                access_key_id: format!("ASIA{}{number}", instance.instance_id),
                secret_access_key: "role-secret".to_owned(),
                token: "role-token".to_owned(),
                expiration: now + Duration::from_secs(3600),
                last_updated: now,
            })
        }
        .boxed()
    }
}
