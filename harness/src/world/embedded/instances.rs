//! The nodes as EC2 instances: what the metadata service knows of them, and where their keys come from.

use std::{net::IpAddr, sync::Arc};

use futures::future::BoxFuture;
use rand::RngExt;
use rolecall_aws::{Ec2Instance, Front};
use rolecall_clock::Clock;
use rolecall_imds::{Directory, Instance, InstanceCredentials, Tokens};

use super::{cloud::CloudSettings, network::Network};
use crate::world::{node_secrets::NodeSecrets, random::random_text};

/// The nodes as EC2 instances, found by the address that asks.
pub(super) struct Instances {
    network: Arc<Network>,
    by_node: Vec<Arc<Instance>>,
    /// Name of the cluster.
    cluster: String,
}

/// Keys of an instance, from the front as EC2 gets them; what was given is remembered, to be found where it must not be.
pub(super) struct FromFront {
    front: Front,
    given: Arc<NodeSecrets>,
}

// === impl Instances ===

impl Instances {
    pub(super) fn new(settings: &CloudSettings<'_>, account: &str, clock: &Clock) -> Self {
        let by_node = settings
            .network
            .nodes
            .values()
            .map(|node| {
                let role = settings.names.role_of(&node.name);
                let unique: u64 = rand::rng().random();
                Arc::new(Instance {
                    node: node.name.clone(),
                    instance_id: format!("i-{unique:017x}"),
                    ami_id: "ami-0a1b2c3d4e5f60718".to_owned(),
                    instance_type: "t3.large".to_owned(),
                    region: settings.region.to_owned(),
                    availability_zone: format!("{}a", settings.region),
                    hostname: format!("ip-{}.ec2.internal", node.address().to_string().replace('.', "-")),
                    local_ipv4: node.address(),
                    account: account.to_owned(),
                    role: Some(role.clone()),
                    instance_profile_arn: format!("arn:aws:iam::{account}:instance-profile/{role}"),
                    instance_profile_id: format!("AIPA{:0>16X}", unique >> 8),
                    user_data: settings
                        .imds
                        .user_data
                        .clone()
                        .unwrap_or_else(|| format!("bootstrap-token={unique:x}")),
                    identity_credentials: rolecall_imds::Credentials {
                        access_key_id: format!("ASIA{}", random_text('A', 16)),
                        secret_access_key: random_text('a', 40),
                        token: random_text('a', 200),
                        expiration: clock.wall() + jiff::SignedDuration::from_hours(6),
                        last_updated: clock.wall(),
                    },
                    tokens: match settings.imds.tokens_required {
                        Some(true) => Tokens::Required,
                        _ => Tokens::Optional,
                    },
                    hop_limit: settings.imds.hop_limit.unwrap_or(2),
                })
            })
            .collect();
        Self {
            network: settings.network.clone(),
            cluster: settings.names.cluster.clone(),
            by_node,
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.by_node.iter()
    }

    /// The nodes as EC2 describes them, tagged as kops tags its instances.
    pub(super) fn describe(&self) -> Vec<Ec2Instance> {
        self.by_node
            .iter()
            .map(|instance| Ec2Instance {
                instance_id: instance.instance_id.clone(),
                instance_type: instance.instance_type.clone(),
                ami_id: instance.ami_id.clone(),
                private_ip: instance.local_ipv4,
                private_dns_name: instance.hostname.clone(),
                availability_zone: instance.availability_zone.clone(),
                instance_profile_arn: Some(instance.instance_profile_arn.clone()),
                // The front knows the id that IAM gave the profile.
                instance_profile_id: None,
                tags: vec![
                    ("Name".to_owned(), instance.role.clone().unwrap_or_default()),
                    ("KubernetesCluster".to_owned(), self.cluster.clone()),
                ],
            })
            .collect()
    }

    /// The instance that a node is.
    pub(super) fn of(&self, node: &str) -> Option<&Arc<Instance>> {
        self.by_node.iter().find(|instance| instance.node == node)
    }
}

impl Directory for Instances {
    fn instance_for(&self, address: IpAddr) -> Option<Arc<Instance>> {
        self.of(&self.network.node_of(address)?.name).cloned()
    }
}

// === impl FromFront ===

impl FromFront {
    pub(super) fn new(front: Front, given: Arc<NodeSecrets>) -> Self {
        Self { front, given }
    }
}

impl InstanceCredentials for FromFront {
    fn credentials<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<rolecall_imds::Credentials, String>> {
        // kops names the profile like its role.
        let profile = instance.role.as_deref().unwrap_or_default();
        Box::pin(async move {
            let issued = self.front.instance_credentials(profile, &instance.instance_id);
            let keys = issued.await.map_err(|error| error.to_string())?;
            let keys = rolecall_imds::Credentials {
                access_key_id: keys.access_key_id,
                secret_access_key: keys.secret_access_key.expose().to_owned(),
                token: keys.session_token.expose().to_owned(),
                expiration: keys.expiration,
                last_updated: keys.last_updated,
            };
            self.given.remember_credentials("role credentials", &keys);
            Ok(keys)
        })
    }
}
