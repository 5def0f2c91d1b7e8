use rolecall_scenario::model::Given;

/// Names that kops gives a cluster and its roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterNames {
    pub(crate) cluster: String,
    /// Nodes in order, masters first as written.
    pub(crate) nodes: Vec<String>,
}

// === impl ClusterNames ===

impl ClusterNames {
    /// The scenario's cluster, with the format's defaults.
    pub(crate) fn of(given: &Given) -> Self {
        let default_nodes = || ["master-1", "node-1", "node-2"].map(str::to_owned).to_vec();
        Self {
            cluster: given
                .cluster
                .name
                .clone()
                .unwrap_or_else(|| "example.cluster.k8s.local".to_owned()),
            nodes: given.cluster.nodes.clone().unwrap_or_else(default_nodes),
        }
    }

    /// Name of the nodes' role and instance profile.
    pub(crate) fn node_role(&self) -> String {
        format!("nodes.{}", self.cluster)
    }

    /// Name of the masters' role and instance profile.
    pub(crate) fn master_role(&self) -> String {
        format!("masters.{}", self.cluster)
    }

    /// The role of a node's instance profile.
    pub(crate) fn role_of(&self, node: &str) -> String {
        if is_master(node) {
            self.master_role()
        } else {
            self.node_role()
        }
    }

    /// Nodes that the proxy's DaemonSet reaches: it tolerates no master's taint.
    pub(crate) fn workers(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(String::as_str).filter(|node| !is_master(node))
    }
}

/// Nodes named `master-*` are masters.
pub(crate) fn is_master(node: &str) -> bool {
    node.starts_with("master-")
}
