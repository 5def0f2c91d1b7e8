//! The cluster: found or made by `kind`, its nodes by the names that a scenario has for them.

use std::{collections::BTreeMap, net::Ipv4Addr, path::Path, time::Duration};

use k8s_openapi::api::core::v1::Node;
use kube::{Api, Client, api::ListParams};
use rolecall_clock::{monotonic, since};
use serde_yaml::{Mapping, Value};

use super::{audit, command::Program, inotify, ledger, marks::Marks, options::KindOptions, scratch, unmake};
use crate::{owner::lives_since, world::WorldError};

/// kind's own file, for a program that stands alone.
const CONFIG: &str = include_str!("../../../../kind-config.yaml");
/// The oldest kind whose commands and config these are.
const OLDEST: (u32, u32) = (0, 20);
/// With so few inotify instances left a node may have been refused one.
const SCARCE: usize = 8;
const CREATE: Duration = Duration::from_secs(300);

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterNode {
    /// In a scenario: `node-1`.
    pub(crate) name: String,
    /// In Kubernetes, and as a container: `rolecall-worker`.
    pub(crate) host: String,
    pub(crate) address: Ipv4Addr,
    /// Network of its pods.
    pub(crate) pods: String,
}

/// A cluster of kind's.
#[derive(Clone)]
pub(crate) struct KindCluster {
    pub(crate) name: String,
    /// Whether it is deleted when the run ends.
    pub(crate) passing: bool,
    pub(crate) client: Client,
    pub(crate) nodes: Vec<ClusterNode>,
    /// Of kind and of Kubernetes.
    pub(crate) versions: BTreeMap<String, String>,
}

// === impl KindCluster ===

impl KindCluster {
    /// Uses the cluster that was named, or makes one. It is ready when all its nodes are.
    ///
    /// # Errors
    /// kind is absent or too old, a cluster of that name is not ours, or one cannot be made: what to do.
    pub(super) async fn bring_up(options: &KindOptions, marks: &Marks) -> Result<Self, WorldError> {
        let version = version().await?;
        let name = options.cluster.clone().unwrap_or_else(|| marks.cluster());
        let there = Program::kind(["get", "clusters"]).run().await?;
        let there = there.lines().any(|line| line.trim() == name);
        let entries = ledger::entries().await?;
        let ours = entries.iter().find(|entry| entry.cluster == name);
        let owned = |entry: &ledger::Entry| entry.owner.filter(|owner| lives_since(*owner, &entry.run));
        if let Some(owner) = ours.and_then(owned) {
            return Err(WorldError::Unable {
                reason: format!(
                    "the cluster {name} is in use by the run of process {owner}, and two runs in one cluster disturb each other; wait \
                     for that run's end, or give another name with --cluster"
                ),
            });
        }
        match ours {
            None if there => {
                return Err(WorldError::Unable {
                    reason: format!(
                        "there is a kind cluster {name} that rolecall did not make, and it changes no cluster of others; give \
                         another name with --cluster, or delete that one: kind delete cluster --name {name}"
                    ),
                });
            }
            Some(entry) if there && entry.made => {
                must_run(&name).await?;
                ledger::write(&name, marks, true).await?;
            }
            half_made => {
                if half_made.is_some() {
                    unmake::delete(&name).await?;
                }
                ledger::write(&name, marks, false).await?;
                create(&name, options).await?;
                ledger::write(&name, marks, true).await?;
            }
        }
        let client = client(&name).await?;
        let nodes = wait_until_ready(&client, &name, options.ready_within).await?;
        let kubernetes = client
            .apiserver_version()
            .await
            .map_err(|error| WorldError::doing("ask the API server for its version", &error))?;
        let versions = BTreeMap::from([
            ("kind".to_owned(), version),
            ("kubernetes".to_owned(), kubernetes.git_version),
        ]);
        Ok(Self {
            passing: options.cluster.is_none() && !options.keep,
            name,
            client,
            nodes,
            versions,
        })
    }

    /// The node that a scenario calls so.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn node(&self, name: &str) -> Result<&ClusterNode, WorldError> {
        let node = self.nodes.iter().find(|node| node.name == name);
        node.ok_or_else(|| WorldError::new(format!("there is no node {name}")))
    }

    /// Where the API server runs.
    ///
    /// # Errors
    /// There is no such node.
    pub(super) fn master(&self) -> Result<&ClusterNode, WorldError> {
        self.node("master-1")
    }

    /// The nodes that the proxy's DaemonSet reaches.
    pub(super) fn workers(&self) -> impl Iterator<Item = &ClusterNode> {
        self.nodes.iter().filter(|node| node.name.starts_with("node-"))
    }
}

/// kind's version.
///
/// # Errors
/// It is absent, or too old.
pub(super) async fn version() -> Result<String, WorldError> {
    let said = Program::kind(["version"]).run().await?;
    let word = said.split_whitespace().find_map(|word| word.strip_prefix('v'));
    let version = word.unwrap_or_default().to_owned();
    let mut numbers = version.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if (major, minor) < OLDEST {
        return Err(WorldError::Unable {
            reason: format!(
                "this kind is `{}`, and at least v{}.{} is needed; install a newer one (https://kind.sigs.k8s.io)",
                said.trim(),
                OLDEST.0,
                OLDEST.1
            ),
        });
    }
    Ok(version)
}

async fn create(name: &str, options: &KindOptions) -> Result<(), WorldError> {
    let config = config(options.suite.as_deref(), &options.node_image)?;
    let kubeconfig = scratch::kubeconfig(name)?;
    let created = Program::kind(["create", "cluster", "--name", name, "--image", &options.node_image])
        .and("--config=-")
        .and("--wait=0s")
        .and(format!("--kubeconfig={}", kubeconfig.display()))
        .input(config)
        .within(CREATE)
        // `delete` waits for its children.
        .sparing_children();
    let created = tokio::select! {
        created = created.run() => created,
        () = async {
            audit::place(name).await;
            std::future::pending().await
        } => Ok(String::new()),
    };
    // kind tells the kubeconfig again whenever it is asked.
    scratch::remove(name);
    created.map(drop)
}

/// The config as kind is given it: the file's, which must have the nodes that scenarios know.
fn config(suite: Option<&Path>, image: &str) -> Result<String, WorldError> {
    let path = suite
        .map(|suite| suite.join("kind-config.yaml"))
        .filter(|path| path.is_file());
    let text = match &path {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| WorldError::doing(format_args!("read {}", path.display()), &error))?,
        None => CONFIG.to_owned(),
    };
    let shown = path.map_or("kind-config.yaml".to_owned(), |path| path.display().to_string());
    let unusable = |why: &str| WorldError::Unable {
        reason: format!("{shown}: {why}; scenarios know one control plane (master-1) and two workers (node-1, node-2)"),
    };
    let parsed: Value = serde_yaml::from_str(&text).map_err(|error| unusable(&error.to_string()))?;
    let nodes = parsed
        .get("nodes")
        .and_then(Value::as_sequence)
        .cloned()
        .unwrap_or_default();
    let role = |node: &Value| node.get("role").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut roles: Vec<String> = nodes.iter().map(role).collect();
    roles.sort();
    if roles != ["control-plane", "worker", "worker"] {
        return Err(unusable("it has other nodes"));
    }
    // A node's own `image` would win over the one that was asked for.
    if nodes.iter().any(|node| node.get("image").is_some()) {
        return Err(unusable(&format!(
            "it names images of nodes; the image is --node-image ({image})"
        )));
    }
    let _: &Mapping = parsed.as_mapping().ok_or_else(|| unusable("it is no map"))?;
    Ok(text)
}

async fn client(name: &str) -> Result<Client, WorldError> {
    let text = Program::kind(["get", "kubeconfig", "--name", name]).run().await?;
    let failed = |error: &dyn std::error::Error| WorldError::doing("make a Kubernetes client", error);
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&text).map_err(|error| failed(&error))?;
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default())
        .await
        .map_err(|error| failed(&error))?;
    // The API server is on this host's loopback, whatever proxy the person at the desk uses.
    config.proxy_url = None;
    Client::try_from(config).map_err(|error| failed(&error))
}

/// A cluster whose nodes were stopped looks ready for most of a minute, and then answers nobody.
///
/// # Errors
/// A node does not run, and how one starts it.
async fn must_run(name: &str) -> Result<(), WorldError> {
    let filter = format!("label=io.x-k8s.kind.cluster={name}");
    let listed = Program::docker(["ps", "--all", "--filter", &filter, "--format", "{{.Names}}\t{{.State}}"]);
    let listed = listed.run().await?;
    let still: Vec<(&str, &str)> = listed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(_, state)| state.trim() != "running")
        .collect();
    let Some((first, _)) = still.first() else { return Ok(()) };
    let told: Vec<String> = still.iter().map(|(node, state)| format!("{node} is {state}")).collect();
    let do_what = match still.iter().all(|(_, state)| *state == "paused") {
        true => format!("docker unpause {first}"),
        false => format!("docker start {first}"),
    };
    Err(WorldError::Unable {
        reason: format!(
            "not all nodes of the cluster {name} run: {}; start them again (`{do_what}`), or delete the cluster, and the run makes \
             a new one: kind delete cluster --name {name}",
            told.join(", ")
        ),
    })
}

async fn wait_until_ready(client: &Client, cluster: &str, within: Duration) -> Result<Vec<ClusterNode>, WorldError> {
    let api: Api<Node> = Api::all(client.clone());
    let start = monotonic();
    loop {
        let waits = match api.list(&ListParams::default()).await {
            Ok(listed) => match named(&listed.items) {
                Ok(nodes) => return Ok(nodes),
                Err(waits) => waits,
            },
            // It has just been started.
            Err(error) => error.to_string(),
        };
        if since(start) > within {
            let scarce = inotify::used_and_allowed().filter(|(used, allowed)| used + SCARCE > *allowed);
            let scarce = scarce.map(|(used, allowed)| {
                format!(
                    "\n   = {used} of {allowed} inotify instances are in use, without which no node works; {}",
                    inotify::REMEDY
                )
            });
            return Err(WorldError::Unable {
                reason: format!(
                    "the cluster {cluster} is not ready after {} s: {waits}; give it longer with --ready-within SECONDS, or let it \
                     stay with --keep and look at the node: `docker exec {cluster}-worker journalctl --unit kubelet`{}",
                    within.as_secs(),
                    scarce.unwrap_or_default()
                ),
            });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The nodes by our names; the error says what is waited for.
fn named(nodes: &[Node]) -> Result<Vec<ClusterNode>, String> {
    let mut hosts: Vec<(bool, &str, &Node)> = Vec::new();
    for node in nodes {
        let host = node.metadata.name.as_deref().unwrap_or_default();
        let labels = node.metadata.labels.as_ref();
        let master = labels.is_some_and(|labels| labels.contains_key("node-role.kubernetes.io/control-plane"));
        hosts.push((master, host, node));
    }
    // kind calls them …-worker, …-worker2.
    hosts.sort_by_key(|(master, host, _)| (!master, host.len(), (*host).to_owned()));
    let masters = hosts.iter().filter(|(master, ..)| *master).count();
    if masters != 1 || hosts.len() < 3 {
        return Err(format!(
            "one control plane and two workers are wanted, and {masters} and {} are there",
            hosts.len() - masters
        ));
    }
    let mut index = 0;
    let mut all = Vec::new();
    for (master, host, node) in hosts {
        let status = node.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_ref());
        let ready = conditions.and_then(|all| all.iter().find(|condition| condition.type_ == "Ready"));
        if ready.is_none_or(|ready| ready.status != "True") {
            let why = ready.and_then(|ready| ready.message.clone()).unwrap_or_default();
            return Err(format!("node {host} is not ready ({why})"));
        }
        let addresses = status.and_then(|status| status.addresses.as_ref());
        let internal = addresses
            .into_iter()
            .flatten()
            .filter(|address| address.type_ == "InternalIP");
        let address = internal.filter_map(|address| address.address.parse().ok()).next();
        let pods = node.spec.as_ref().and_then(|spec| spec.pod_cidr.clone());
        let (Some(address), Some(pods)) = (address, pods) else {
            return Err(format!("node {host} has no IPv4 address, or no network for its pods"));
        };
        index += usize::from(!master);
        all.push(ClusterNode {
            name: if master {
                "master-1".to_owned()
            } else {
                format!("node-{index}")
            },
            host: host.to_owned(),
            address,
            pods,
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(host: &str, master: bool, ready: &str) -> Node {
        let labels = if master {
            json!({"node-role.kubernetes.io/control-plane": ""})
        } else {
            json!({})
        };
        serde_json::from_value(json!({
            "metadata": {"name": host, "labels": labels},
            "spec": {"podCIDR": "10.244.1.0/24"},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "172.18.0.5"}],
                "conditions": [{"type": "Ready", "status": ready, "lastHeartbeatTime": null, "message": "no network"}]
            }
        }))
        .expect("a node")
    }

    #[test]
    fn kinds_nodes_have_the_names_of_scenarios() {
        let nodes = [
            node("c-worker2", false, "True"),
            node("c-control-plane", true, "True"),
            node("c-worker", false, "True"),
        ];
        let named = named(&nodes).expect("nodes");
        let named: Vec<_> = named
            .iter()
            .map(|node| (node.name.as_str(), node.host.as_str()))
            .collect();
        assert_eq!(
            named,
            [
                ("master-1", "c-control-plane"),
                ("node-1", "c-worker"),
                ("node-2", "c-worker2")
            ]
        );
    }

    #[test]
    fn a_node_that_is_not_ready_is_told_with_its_reason() {
        let nodes = [
            node("m", true, "True"),
            node("w", false, "True"),
            node("w2", false, "False"),
        ];
        let waits = named(&nodes).expect_err("one is not ready");
        assert_eq!(waits, "node w2 is not ready (no network)");
    }

    #[test]
    fn the_config_that_comes_with_the_project_has_the_nodes_that_scenarios_know() {
        config(None, "an/image:1").expect("a usable config");
    }
}
