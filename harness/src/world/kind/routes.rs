//! The ways between pods and containers: the instances' metadata address, and no masquerading, so that whoever is asked
//! sees the pod's own address. The API server does too, for its audit log.

use std::{fmt::Write as _, net::Ipv4Addr};

use super::{
    cluster::{ClusterNode, KindCluster},
    command::Program,
    containers::{API_PORT, AWS_PORT, CONTROL_PORT, Containers, NETWORK, OPERATOR_PORT, VAULT_OPERATOR_PORT},
    marks::Marks,
    vault_container::VAULT_PORT,
};
use crate::world::WorldError;

/// The address that SDKs ask for metadata.
pub(super) const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// Our chain of the nodes' NAT table.
const CHAIN: &str = "ROLECALL-DIRECT";

/// Lays the ways; where LocalStack and Vault are `guarded`, none but what stands before them and this host reaches them.
///
/// # Errors
/// What a container or a node says.
pub(super) async fn lay(
    cluster: &KindCluster,
    containers: &Containers,
    node_image: &str,
    guarded: bool,
    marks: &Marks,
) -> Result<(), WorldError> {
    let gateway = gateway().await?;
    let [localstack, front] = containers.ids();
    let api_server = cluster.master()?.address;
    let nodes = cluster
        .nodes
        .iter()
        .map(|node| on_node(node, containers.front(), api_server));
    tokio::try_join!(
        in_container(front, node_image, front_script(&cluster.nodes, gateway), marks),
        async {
            if guarded {
                let script = guard(containers.front(), gateway, AWS_PORT);
                in_container(localstack, node_image, script, marks).await?;
            }
            Ok(())
        },
        async {
            if let Some(vault) = containers.vault.as_ref().filter(|_| guarded) {
                let script = guard(containers.front(), gateway, VAULT_PORT);
                in_container(vault.running.id(), node_image, script, marks).await?;
            }
            Ok(())
        },
        futures::future::try_join_all(nodes),
    )
    .map(drop)
}

/// Takes the ways from the nodes of a cluster that stays.
///
/// # Errors
/// What a node says.
pub(super) async fn lift(cluster: &KindCluster) -> Result<(), WorldError> {
    let nodes = cluster.nodes.iter().map(|node| async {
        let script = format!(
            "ip route del {METADATA}/32 2>/dev/null; iptables -w -t nat -D POSTROUTING -s {0} -j {CHAIN} 2>/dev/null; \
             iptables -w -t nat -F {CHAIN} 2>/dev/null; iptables -w -t nat -X {CHAIN} 2>/dev/null; true",
            node.pods
        );
        Program::docker(["exec", &node.host, "sh", "-c", &script]).run().await
    });
    futures::future::try_join_all(nodes).await.map(drop)
}

/// The front is the metadata service's host, knows the way to each pod, and lets none but this host steer it.
fn front_script(nodes: &[ClusterNode], gateway: Ipv4Addr) -> String {
    let mut script = format!("set -e\nip addr replace {METADATA}/32 dev lo\n");
    for node in nodes {
        // Writing to a string never fails.
        let _ = writeln!(script, "ip route replace {} via {}", node.pods, node.address);
    }
    let _ = writeln!(
        script,
        "iptables -w -A INPUT -p tcp -m multiport --dports {CONTROL_PORT},{OPERATOR_PORT},{VAULT_OPERATOR_PORT} ! -s {gateway} -j DROP"
    );
    script
}

/// Nobody but the front, and this host, reaches what is behind it: LocalStack enforces nothing, and Vault records nothing.
fn guard(front: Ipv4Addr, gateway: Ipv4Addr, port: u16) -> String {
    format!(
        "set -e\niptables -w -A INPUT -i lo -j ACCEPT\niptables -w -A INPUT -s {front} -j ACCEPT\niptables -w -A INPUT -s \
         {gateway} -j ACCEPT\niptables -w -A INPUT -p tcp --dport {port} -j DROP\n"
    )
}

async fn on_node(node: &ClusterNode, front: Ipv4Addr, api_server: Ipv4Addr) -> Result<(), WorldError> {
    // Before the rule that lets pods leave as their node. A second run finds the chain and fills it anew.
    let script = format!(
        "set -e\nip route replace {METADATA}/32 via {front}\niptables -w -t nat -N {CHAIN} 2>/dev/null || iptables -w -t nat -F \
         {CHAIN}\niptables -w -t nat -A {CHAIN} -d {front} -j ACCEPT\niptables -w -t nat -A {CHAIN} -d {METADATA} -j \
         ACCEPT\niptables -w -t nat -A {CHAIN} -p tcp -d {api_server} --dport {API_PORT} -j ACCEPT\niptables -w -t nat -C POSTROUTING -s {pods} -j {CHAIN} 2>/dev/null || iptables -w -t nat -I POSTROUTING 1 -s \
         {pods} -j {CHAIN}\n",
        pods = node.pods
    );
    let exec = ["exec", "--interactive", &node.host, "sh", "-s"];
    Program::docker(exec).input(script).run().await.map(drop)
}

/// The containers have no program for their network; the node image has, and is there.
async fn in_container(id: &str, image: &str, script: String, marks: &Marks) -> Result<(), WorldError> {
    let network = format!("container:{id}");
    let words = [
        "run",
        "--rm",
        "--interactive",
        "--network",
        &network,
        "--cap-add",
        "NET_ADMIN",
    ];
    // Whoever kills this program leaves the container, which waits for the rest of its script.
    let labels = marks.labels().into_iter();
    let labels = labels.flat_map(|(key, value)| ["--label".to_owned(), format!("{key}={value}")]);
    labels
        .fold(Program::docker(words), Program::and)
        .and("--entrypoint")
        .and("sh")
        .and(image)
        .and("-s")
        .input(script)
        .run()
        .await
        .map(drop)
}

/// This host's address on kind's network.
async fn gateway() -> Result<Ipv4Addr, WorldError> {
    let format = "{{range .IPAM.Config}}{{.Gateway}} {{end}}";
    let told = Program::docker(["network", "inspect", "--format", format, NETWORK])
        .run()
        .await?;
    let mut addresses = told.split_whitespace().filter_map(|word| word.parse().ok());
    addresses.next().ok_or_else(|| {
        WorldError::new(format!(
            "the network {NETWORK} has no IPv4 gateway ({}), and pods are reached by IPv4 here",
            told.trim()
        ))
    })
}
