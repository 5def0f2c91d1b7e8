//! The vpc and its nodes.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rolecall_clock::{monotonic, since};
use rolecall_namespaces::{Error, Namespace, Wire};

use super::Ground;
use crate::world::WorldError;

/// The vpc's own address, where AWS and the API server listen.
pub(super) const VPC: Ipv4Addr = Ipv4Addr::new(172, 20, 0, 1);
/// The instances' metadata service.
pub(super) const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// The pods' bridge on each node, as kubenet calls it.
pub(super) const POD_BRIDGE: &str = "cbr0";
/// Port of the AWS front in the vpc.
pub(super) const AWS_PORT: u16 = 4566;
/// Port of the API server in the vpc.
pub(super) const KUBERNETES_PORT: u16 = 6443;
/// Port of Vault in the vpc.
pub(super) const VAULT_PORT: u16 = 8200;

/// One node: a host of the vpc.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    /// From 1, in the order of `given.cluster.nodes`; it is in every address of the node.
    pub(super) index: u8,
    pub(super) host: Arc<Namespace>,
}

/// A vpc with its nodes.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) vpc: Arc<Namespace>,
    pub(super) nodes: BTreeMap<String, Node>,
}

// === impl Node ===

impl Node {
    /// Its address in the vpc.
    pub(super) fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(172, 20, 1, self.index)
    }

    /// Address of its bridge; the pods' network has 24 bits.
    pub(super) fn bridge(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 244, self.index, 1)
    }

    /// Network of its pods.
    pub(super) fn pods(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 244, self.index, 0)
    }
}

// === impl Network ===

impl Network {
    /// Builds the vpc and the nodes. Blocks for some milliseconds: not for a runtime's own threads.
    ///
    /// # Errors
    /// What the kernel refused.
    pub(super) fn build(ground: &Ground, nodes: &[String]) -> Result<Self, WorldError> {
        build(ground, nodes).map_err(|error| WorldError::doing("build the world's network", &error))
    }

    /// The node of this name.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn node(&self, name: &str) -> Result<&Node, WorldError> {
        self.nodes
            .get(name)
            .ok_or_else(|| WorldError::new(format!("there is no node {name}")))
    }

    /// The node whose own address, or whose pods' network, this is.
    pub(super) fn node_of(&self, address: IpAddr) -> Option<&Node> {
        let IpAddr::V4(address) = address else { return None };
        let network = |ip: Ipv4Addr| [ip.octets()[0], ip.octets()[1], ip.octets()[2]];
        self.nodes
            .values()
            .find(|node| node.address() == address || network(node.pods()) == network(address))
    }
}

fn build(ground: &Ground, names: &[String]) -> Result<Network, Error> {
    let vpc = Namespace::new("vpc", ground.processes())?;
    vpc.run(|inside| {
        inside.bridge("vpc0", VPC.into(), 16)?;
        inside.address("vpc0", METADATA.into(), 32)
    })??;
    let mut nodes = BTreeMap::new();
    for (name, index) in names.iter().zip(1_u8..=250) {
        let host = Namespace::new(name, ground.processes())?;
        let node = Node {
            name: name.clone(),
            index,
            host: Arc::new(host),
        };
        let wire = Wire {
            name: format!("n{index}"),
            bridge: "vpc0".to_owned(),
            far_name: "eth0".to_owned(),
            address: node.address().into(),
            prefix: 16,
            gateway: VPC.into(),
        };
        vpc.wire_blocking(&node.host, wire)?;
        let (bridge, pods, via) = (node.bridge(), node.pods(), node.address());
        node.host.run(move |inside| {
            inside.bridge(POD_BRIDGE, bridge.into(), 24)?;
            inside.mount_run_tmpfs().map(|_| ())
        })??;
        // Pods are not masqueraded: what the proxy does not intercept reaches the instances' metadata service with the
        // pod's own address, by which the node is still known.
        vpc.run(move |inside| inside.route(pods.into(), 24, via.into()))??;
        nodes.insert(name.clone(), node);
    }
    Ok(Network {
        vpc: Arc::new(vpc),
        nodes,
    })
}

/// An address of the vpc with a port.
pub(super) fn vpc(port: u16) -> SocketAddr {
    SocketAddr::from((VPC, port))
}

/// Waits until the first packets of a new host get through to a server of the vpc.
///
/// A bridge now and then drops what comes by a port that has just come up. A SYN that is lost there is sent again after a
/// second, which is longer than all else that a world needs; a connection that is tried anew after some milliseconds is not.
///
/// # Errors
/// Nothing gets through for seconds.
pub(super) async fn wait_until_connected(host: &Namespace, server: SocketAddr) -> Result<(), WorldError> {
    let start = monotonic();
    loop {
        match tokio::time::timeout(Duration::from_millis(20), host.connect(server)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) if since(start) > CONNECTED => {
                return Err(WorldError::doing(format_args!("reach {server} from {host}"), &error));
            }
            Err(_) if since(start) > CONNECTED => {
                return Err(WorldError::new(format!("{server} is not reached from {host}")));
            }
            Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(2)).await,
            Err(_) => {}
        }
    }
}

/// Much longer than a bridge ever needs.
const CONNECTED: Duration = Duration::from_secs(10);
