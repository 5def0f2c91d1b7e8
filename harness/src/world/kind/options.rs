use std::{path::PathBuf, time::Duration};

/// The node image that is tested with: Kubernetes 1.36.3.
pub(crate) const NODE_IMAGE: &str = "kindest/node:v1.36.3";
/// LocalStack's last tag that wants no token. It contains the AWS CLI too.
pub(crate) const LOCALSTACK_IMAGE: &str = "localstack/localstack:4.14.0";

/// The Vault that scenarios meet, where they have to do with one.
pub(crate) const VAULT_IMAGE: &str = "hashicorp/vault:1.21";

/// How long nodes may take to be ready where nothing else is said. On an idle machine they take seconds.
pub(crate) const NODES_READY: Duration = Duration::from_secs(120);

/// What a person may choose of the kind world.
#[derive(Clone, Debug)]
pub(crate) struct KindOptions {
    /// A cluster to use, and to leave; without it one is made for the run, and deleted.
    pub(crate) cluster: Option<String>,
    /// Whether the cluster and the containers stay for `sweep`.
    pub(crate) keep: bool,
    pub(crate) node_image: String,
    /// How long the nodes may take to be ready, once the cluster is made.
    pub(crate) ready_within: Duration,
    /// The proxy's image; without it, it is built.
    pub(crate) proxy_image: Option<String>,
    /// The image of front, metadata service and probe; without it, it is built.
    pub(crate) tools_image: Option<String>,
    /// The image of a pod that runs `aws`.
    pub(crate) aws_cli_image: String,
    /// The folder with `kind-config.yaml`, if there is one.
    pub(crate) suite: Option<PathBuf>,
    /// Let pods and proxies reach LocalStack itself: a test of the canary, which must stop the run.
    pub(crate) without_front: bool,
}
