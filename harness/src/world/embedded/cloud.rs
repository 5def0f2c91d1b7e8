//! AWS, the API server and the instances' metadata service of one world, listening in its vpc.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use rolecall_accept::CancellationToken;
use rolecall_aws::{AccessKey, Account, Door, Enforcement, Front, Secret, Upstream};
use rolecall_clock::Clock;
use rolecall_imds::Imds;
use rolecall_kubernetes::{Cluster, NodeSettings, PodCidr, User};
use rolecall_scenario::{Spanned, model::ImdsSpec};
use tokio::net::TcpListener;

use super::{
    instances::{FromFront, Instances},
    network::{AWS_PORT, KUBERNETES_PORT, METADATA, Network, vpc},
    pods::Pods,
};
use crate::{
    check::Keys,
    world::{
        WorldError,
        node_secrets::NodeSecrets,
        operator::{AwsAccess, ClusterNames},
        random::{random_account, random_key},
    },
};

/// The services of one world.
pub(super) struct Cloud {
    pub(super) account: String,
    /// Numbers of further accounts by their names.
    pub(super) accounts: BTreeMap<String, String>,
    pub(super) front: Front,
    pub(super) imds: Imds,
    pub(super) cluster: Cluster,
    pub(super) clock: Clock,
    /// How the operator reaches AWS.
    pub(super) operator: AwsAccess,
    /// Where the operator reaches the API server.
    pub(super) kubernetes: SocketAddr,
    pub(super) instances: Arc<Instances>,
    pub(super) secrets: Arc<NodeSecrets>,
    pub(super) stop: CancellationToken,
}

/// What a cloud is made of.
pub(super) struct CloudSettings<'a> {
    pub(super) network: Arc<Network>,
    pub(super) names: &'a ClusterNames,
    pub(super) region: &'a str,
    pub(super) imds: &'a ImdsSpec,
    pub(super) accounts: &'a [Spanned<String>],
    pub(super) enforcement: Enforcement,
    /// What is behind the front, in its memory's place.
    pub(super) upstream: Option<&'a Upstream>,
}

// === impl Cloud ===

impl Cloud {
    /// Starts the services; each is reached from the vpc, and AWS and the API server by the operator on this host's
    /// loopback too.
    ///
    /// # Errors
    /// A listener cannot be made, or a certificate.
    pub(super) async fn start(settings: CloudSettings<'_>) -> Result<Self, WorldError> {
        let clock = Clock::new();
        let stop = CancellationToken::new();
        let (account, root) = (random_account(), random_key());
        let further: BTreeMap<String, (String, Keys)> = settings
            .accounts
            .iter()
            .map(|name| (name.value.clone(), (random_account(), random_key())))
            .collect();
        let others: Vec<Account> = further
            .values()
            .map(|(number, keys)| Account {
                id: number.clone(),
                root: access_key(keys),
            })
            .collect();
        let own = rolecall_aws::Settings {
            account: account.clone(),
            region: settings.region.to_owned(),
            root: access_key(&root),
            clock: clock.clone(),
            enforcement: settings.enforcement,
            upstream: settings.upstream.cloned(),
        };
        let front =
            Front::with_accounts(own, &others).map_err(|error| WorldError::doing("make AWS accounts", &error))?;
        let instances = Arc::new(Instances::new(&settings, &account, &clock));
        let secrets = Arc::new(NodeSecrets::default());
        for instance in instances.all() {
            secrets.remember_instance(instance);
        }
        let from_front = FromFront::new(front.clone(), secrets.clone());
        front.set_instances(instances.describe());
        let imds = Imds::new(clock.clone(), instances.clone(), Arc::new(from_front));
        let cluster = Cluster::new(clock.clone()).map_err(|error| WorldError::doing("make a cluster", &error))?;

        let failed = |error: &dyn std::error::Error| WorldError::doing("listen in the vpc", error);
        let vpc_host = &settings.network.vpc;
        let aws = vpc_host
            .listen_tcp(vpc(AWS_PORT))
            .await
            .map_err(|error| failed(&error))?;
        let api = vpc_host
            .listen_tcp(vpc(KUBERNETES_PORT))
            .await
            .map_err(|error| failed(&error))?;
        let metadata = vpc_host
            .listen_tcp(SocketAddr::from((METADATA, 80)))
            .await
            .map_err(|error| failed(&error))?;
        let (aws_here, aws_address) = loopback().await?;
        let (api_here, kubernetes) = loopback().await?;

        for (listener, door) in [(aws, Door::World), (aws_here, Door::Operator)] {
            let (front, stop) = (front.clone(), stop.clone());
            tokio::spawn(async move { log(front.serve(listener, door, stop).await, "the AWS front") });
        }
        for listener in [api, api_here] {
            let (cluster, stop) = (cluster.clone(), stop.clone());
            tokio::spawn(async move { log(cluster.serve(listener, stop).await, "the API server") });
        }
        {
            let (imds, stop) = (imds.clone(), stop.clone());
            tokio::spawn(async move { log(imds.serve(metadata, stop).await, "the metadata service") });
        }
        let operator = AwsAccess {
            endpoint: format!("http://{aws_address}"),
            region: settings.region.to_owned(),
            keys: root,
            accounts: further
                .iter()
                .map(|(name, (_, keys))| (name.clone(), keys.clone()))
                .collect(),
            clock: clock.clone(),
        };
        Ok(Self {
            account,
            accounts: further.into_iter().map(|(name, (number, _))| (name, number)).collect(),
            front,
            imds,
            cluster,
            clock,
            operator,
            kubernetes,
            instances,
            secrets,
            stop,
        })
    }

    /// Starts a kubelet on every node. The nodes are in the API when this returns.
    ///
    /// # Errors
    /// A node's network of pods is not one.
    pub(super) fn start_kubelets(&self, network: &Network, pods: &Arc<Pods>) -> Result<(), WorldError> {
        for node in network.nodes.values() {
            let instance = self.instances.of(&node.name);
            let settings = NodeSettings {
                name: node.name.clone(),
                address: node.address(),
                pod_cidr: PodCidr::new(node.pods(), 24).map_err(|error| WorldError::doing("add a node", &error))?,
                provider_id: instance
                    .map(|instance| format!("aws:///{}/{}", instance.availability_zone, instance.instance_id))
                    .unwrap_or_default(),
            };
            tokio::spawn(self.cluster.run_kubelet(settings, pods.clone(), self.stop.clone()));
        }
        Ok(())
    }

    /// A client of the operator.
    ///
    /// # Errors
    /// The emulator's kubeconfig is not one.
    pub(super) async fn kubernetes_client(&self) -> Result<kube::Client, WorldError> {
        let text = self
            .cluster
            .kubeconfig(&format!("https://{}", self.kubernetes), User::Admin);
        let failed = |error: &dyn std::error::Error| WorldError::doing("make a Kubernetes client", error);
        let kubeconfig = kube::config::Kubeconfig::from_yaml(&text).map_err(|error| failed(&error))?;
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default())
            .await
            .map_err(|error| failed(&error))?;
        // The API server is on this host's loopback, whatever proxy the person at the desk uses.
        config.proxy_url = None;
        kube::Client::try_from(config).map_err(|error| failed(&error))
    }

    /// A kubeconfig for the subject: it may read, and ask for tokens of service accounts only where it gets keys from
    /// Vault with them.
    pub(super) fn subject_kubeconfig(&self, vault: bool) -> String {
        let user = if vault { User::VaultProxy } else { User::Proxy };
        self.cluster
            .kubeconfig(&format!("https://{}", vpc(KUBERNETES_PORT)), user)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn access_key(keys: &Keys) -> AccessKey {
    AccessKey {
        id: keys.access_key_id.clone(),
        secret: Secret::new(keys.secret_access_key.as_str()),
    }
}

pub(super) async fn loopback() -> Result<(TcpListener, SocketAddr), WorldError> {
    let failed = |error: std::io::Error| WorldError::doing("listen on 127.0.0.1", &error);
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn log(result: std::io::Result<()>, what: &str) {
    if let Err(error) = result {
        tracing::error!(%error, "{what} ended");
    }
}
