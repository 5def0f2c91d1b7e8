//! A vpc, three nodes and a pod on two of them.

use std::net::{IpAddr, Ipv4Addr};

use rolecall_namespaces::{Error, Namespace, PidNamespace, Wire};

pub(crate) const VPC: Ipv4Addr = Ipv4Addr::new(172, 20, 0, 1);
pub(crate) const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

pub(crate) struct Scene {
    pub(crate) vpc: Namespace,
    pub(crate) nodes: Vec<Namespace>,
    /// The first is on the second node.
    pub(crate) pods: Vec<Namespace>,
}

/// The address of node `n` in the vpc.
pub(crate) fn node(n: u8) -> IpAddr {
    Ipv4Addr::new(172, 20, 1, n).into()
}

/// The address of host `host` in the pod network of node `n`.
pub(crate) fn pod(n: u8, host: u8) -> IpAddr {
    Ipv4Addr::new(10, 244, n, host).into()
}

impl Scene {
    pub(crate) fn build(processes: &PidNamespace) -> Result<Self, Error> {
        let vpc = Namespace::new("vpc", processes)?;
        vpc.run(|inside| {
            inside.bridge("vpc0", VPC.into(), 16)?;
            inside.address("vpc0", METADATA.into(), 32)
        })??;
        let (mut nodes, mut pods) = (Vec::new(), Vec::new());
        for n in 1..=3 {
            let host = Namespace::new(&format!("node-{n}"), processes)?;
            let wire = Wire {
                name: format!("n{n}"),
                bridge: "vpc0".to_owned(),
                far_name: "eth0".to_owned(),
                address: node(n),
                prefix: 16,
                gateway: VPC.into(),
            };
            vpc.wire_blocking(&host, wire)?;
            host.run(move |inside| inside.bridge("cbr0", pod(n, 1), 24))??;
            vpc.run(move |inside| inside.route(pod(n, 0), 24, node(n)))??;
            if n > 1 {
                pods.push(Self::add_pod(&host, n, 5, processes)?);
            }
            nodes.push(host);
        }
        Ok(Self { vpc, nodes, pods })
    }

    /// A pod with the given last byte of its address; its wire is called after it.
    pub(crate) fn add_pod(host: &Namespace, n: u8, last: u8, processes: &PidNamespace) -> Result<Namespace, Error> {
        let new = Namespace::new(&format!("pod-{n}-{last}"), processes)?;
        let wire = Wire {
            name: format!("p{last}"),
            bridge: "cbr0".to_owned(),
            far_name: "eth0".to_owned(),
            address: pod(n, last),
            prefix: 24,
            gateway: pod(n, 1),
        };
        host.wire_blocking(&new, wire)?;
        Ok(new)
    }
}
