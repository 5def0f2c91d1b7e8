//! The nodes as EC2 instances, told from outside.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use jiff::SignedDuration;
use rand::RngExt;
use rolecall_aws::Ec2Instance;
use rolecall_clock::Clock;
use rolecall_imds::{Credentials, Directory, Instance, Tokens};
use serde::{Deserialize, Serialize};

use super::ServeError;

/// A node, as `--nodes FILE` and `PUT /v1/nodes` give it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    /// The node's name, for the journal.
    pub(crate) name: String,
    /// Its own address, as the services see it.
    pub(crate) address: Ipv4Addr,
    /// Networks of its pods, such as `10.244.1.0/24`: who asks from there is on this node.
    #[serde(default)]
    pub(crate) pods: Vec<Network>,
    /// The name of its instance profile; an instance without one has no role.
    #[serde(default)]
    pub(crate) instance_profile: Option<String>,
    /// The name of the role in the profile [default: that of the profile, as kops names them].
    #[serde(default)]
    pub(crate) role: Option<String>,
    /// `i-…` [default: a random one].
    #[serde(default)]
    pub(crate) instance_id: Option<String>,
    /// [default: that of the region with an `a`]
    #[serde(default)]
    pub(crate) availability_zone: Option<String>,
    /// [default: a random one].
    #[serde(default)]
    pub(crate) user_data: Option<String>,
    /// Whether the instance wants IMDSv2.
    #[serde(default)]
    pub(crate) tokens_required: bool,
    /// How many hops a session token goes; 1 reaches the node and none of its pods.
    #[serde(default = "two")]
    pub(crate) hop_limit: u8,
    /// The instance's tags.
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
}

/// An IPv4 network, `10.244.1.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Network {
    base: u32,
    bits: u8,
}

/// The instances that are there now. Clones are the same ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nodes(Arc<RwLock<Vec<Known>>>);

/// A node as it was given, and as its instance's metadata service knows it.
type Known = (Node, Arc<Instance>);

/// What the instances are in.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) clock: Clock,
}

fn two() -> u8 {
    2
}

// === impl Network ===

impl Network {
    fn contains(self, address: Ipv4Addr) -> bool {
        self.base == u32::from(address) & mask(self.bits)
    }
}

fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network: write one such as 10.244.1.0/24");
        let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
        let address: Ipv4Addr = address.parse().map_err(|_| wrong())?;
        let bits: u8 = bits.parse().map_err(|_| wrong())?;
        if bits > 32 {
            return Err(wrong());
        }
        let base = u32::from(address) & mask(bits);
        if base != u32::from(address) {
            return Err(format!(
                "`{text}` is an address in a network, not a network: write {}/{bits}",
                Ipv4Addr::from(base)
            ));
        }
        Ok(Self { base, bits })
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        format!("{}/{}", Ipv4Addr::from(network.base), network.bits)
    }
}

// === impl Nodes ===

impl Nodes {
    /// Puts these in place of those that were there. An instance whose node is told again under its name keeps its
    /// id and its secrets where nothing else is said.
    ///
    /// # Errors
    /// Two have one name, address or instance id: nothing is changed.
    pub(crate) fn put(&self, nodes: Vec<Node>, cloud: &Cloud) -> Result<(), String> {
        for (index, node) in nodes.iter().enumerate() {
            for other in nodes.iter().take(index) {
                let same_id = node.instance_id.is_some() && node.instance_id == other.instance_id;
                if node.name == other.name || node.address == other.address || same_id {
                    return Err(format!(
                        "{} and {} have the same name, address or instance id: give each node its own",
                        other.name, node.name
                    ));
                }
            }
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let instances = nodes.into_iter().map(|node| {
            let before = known.iter().find(|(old, _)| old.name == node.name);
            let instance = instance(&node, before.map(|(_, instance)| &**instance), cloud);
            (node, Arc::new(instance))
        });
        *known = instances.collect();
        Ok(())
    }

    /// Forgets all of them, their ids and secrets too.
    pub(crate) fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// As they were given.
    pub(crate) fn given(&self) -> Vec<Node> {
        self.read(|(node, _)| node.clone())
    }

    /// As the metadata service knows them.
    pub(crate) fn instances(&self) -> Vec<Arc<Instance>> {
        self.read(|(_, instance)| instance.clone())
    }

    /// As EC2 describes them.
    pub(crate) fn describe(&self) -> Vec<Ec2Instance> {
        self.read(|(node, instance)| Ec2Instance {
            instance_id: instance.instance_id.clone(),
            instance_type: instance.instance_type.clone(),
            ami_id: instance.ami_id.clone(),
            private_ip: instance.local_ipv4,
            private_dns_name: instance.hostname.clone(),
            availability_zone: instance.availability_zone.clone(),
            instance_profile_arn: instance.role.is_some().then(|| instance.instance_profile_arn.clone()),
            // The front knows the id that IAM gave the profile.
            instance_profile_id: None,
            tags: node.tags.clone().into_iter().collect(),
        })
    }

    /// The instance profile of an instance.
    pub(crate) fn profile_of(&self, instance_id: &str) -> Option<String> {
        let nodes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of = nodes.iter().find(|(_, instance)| instance.instance_id == instance_id);
        of.and_then(|(node, _)| node.instance_profile.clone())
    }

    fn read<T>(&self, of: impl Fn(&Known) -> T) -> Vec<T> {
        let nodes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        nodes.iter().map(of).collect()
    }
}

impl Directory for Nodes {
    fn instance_for(&self, address: IpAddr) -> Option<Arc<Instance>> {
        let IpAddr::V4(address) = address else { return None };
        let nodes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of = |test: &dyn Fn(&Node) -> bool| nodes.iter().find(|(node, _)| test(node));
        // A node's own address says more than a network that it may lie in.
        let found = of(&|node| node.address == address)
            .or_else(|| of(&|node| node.pods.iter().any(|network| network.contains(address))));
        found.map(|(_, instance)| instance.clone())
    }
}

fn instance(node: &Node, before: Option<&Instance>, cloud: &Cloud) -> Instance {
    let unique: u64 = rand::rng().random();
    let Cloud { account, region, clock } = cloud;
    let profile = node.instance_profile.clone().unwrap_or_default();
    let role = node
        .instance_profile
        .as_ref()
        .map(|profile| node.role.clone().unwrap_or_else(|| profile.clone()));
    let kept = |of: fn(&Instance) -> &String, new: String| before.map_or(new, |before| of(before).clone());
    let random_id = kept(|old| &old.instance_id, format!("i-{unique:017x}"));
    let random_data = kept(|old| &old.user_data, format!("bootstrap-token={unique:x}"));
    let now = clock.wall();
    Instance {
        node: node.name.clone(),
        instance_id: node.instance_id.clone().unwrap_or(random_id),
        ami_id: "ami-0a1b2c3d4e5f60718".to_owned(),
        instance_type: "t3.large".to_owned(),
        region: region.clone(),
        availability_zone: node.availability_zone.clone().unwrap_or_else(|| format!("{region}a")),
        hostname: format!("ip-{}.ec2.internal", node.address.to_string().replace('.', "-")),
        local_ipv4: node.address,
        account: account.clone(),
        instance_profile_arn: format!("arn:aws:iam::{account}:instance-profile/{profile}"),
        instance_profile_id: kept(|old| &old.instance_profile_id, format!("AIPA{:0>16X}", unique >> 8)),
        role,
        user_data: node.user_data.clone().unwrap_or(random_data),
        identity_credentials: before.map_or_else(
            || Credentials {
                access_key_id: format!("ASIA{}", random_text(16).to_ascii_uppercase()),
                secret_access_key: random_text(40),
                token: random_text(200),
                expiration: now + SignedDuration::from_hours(6),
                last_updated: now,
            },
            |before| before.identity_credentials.clone(),
        ),
        tokens: if node.tokens_required {
            Tokens::Required
        } else {
            Tokens::Optional
        },
        hop_limit: node.hop_limit,
    }
}

fn random_text(length: usize) -> String {
    let mut random = rand::rng();
    (0..length)
        .map(|_| char::from(random.sample(rand::distr::Alphanumeric)))
        .collect()
}

/// Reads nodes from a file.
///
/// # Errors
/// The file cannot be read, or is no JSON array of nodes: what is wrong, and where.
pub(crate) fn nodes_of(path: &Path) -> Result<Vec<Node>, ServeError> {
    let flag = "--nodes";
    let text = std::fs::read_to_string(path).map_err(|error| ServeError::file(path, flag, &error))?;
    serde_json::from_str(&text).map_err(|error| ServeError::file(path, flag, &error))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn nodes(json: &str) -> Nodes {
        let nodes = Nodes::default();
        let cloud = Cloud {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            clock: Clock::new(),
        };
        let given = serde_json::from_str(json).expect("nodes");
        nodes.put(given, &cloud).expect("nodes that can be told apart");
        nodes
    }

    const TWO: &str = r#"[
        {"name": "node-1", "address": "10.244.2.9", "pods": ["10.244.1.0/24"], "instance_profile": "nodes"},
        {"name": "node-2", "address": "172.18.0.4", "pods": ["10.244.2.0/24", "10.9.0.0/16"]}
    ]"#;

    #[rstest]
    #[case::its_own_address_before_a_network("10.244.2.9", Some("node-1"))]
    #[case::a_pod("10.244.1.7", Some("node-1"))]
    #[case::a_pod_of_a_second_network("10.9.255.1", Some("node-2"))]
    #[case::nobody("10.244.3.1", None)]
    #[case::another_family("::1", None)]
    fn an_instance_is_found_by_the_address_that_asks(#[case] from: &str, #[case] node: Option<&str>) {
        let found = nodes(TWO).instance_for(from.parse().expect("an address"));
        assert_eq!(found.map(|instance| instance.node.clone()).as_deref(), node);
    }

    #[test]
    fn an_instance_without_a_profile_has_no_role() {
        let roles: Vec<_> = nodes(TWO)
            .instances()
            .iter()
            .map(|instance| instance.role.clone())
            .collect();
        assert_eq!(roles, [Some("nodes".to_owned()), None]);
    }

    #[test]
    fn a_node_that_is_told_again_keeps_its_id() {
        let nodes = nodes(TWO);
        let before = nodes.instances()[1].instance_id.clone();
        let cloud = Cloud {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            clock: Clock::new(),
        };
        let mut given = nodes.given();
        given.reverse();
        nodes.put(given, &cloud).expect("the same nodes");
        assert_eq!(nodes.instances()[0].instance_id, before);
    }

    #[rstest]
    #[case::no_bits("10.244.1.0")]
    #[case::too_many_bits("10.244.1.0/33")]
    #[case::an_address("10.244.1.7/24")]
    #[case::another_family("fd00::/8")]
    fn what_is_no_network_is_refused(#[case] text: &str) {
        Network::try_from(text.to_owned()).expect_err("no network");
    }

    #[test]
    fn every_address_is_in_the_network_of_no_bits() {
        let all = Network::try_from("0.0.0.0/0".to_owned()).expect("a network");
        assert!(all.contains(Ipv4Addr::new(203, 0, 113, 9)));
        assert_eq!(String::from(all), "0.0.0.0/0");
    }
}
