use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Pod;

use super::PodFile;

/// How often, in real time, the age of tokens is compared with the world's clock.
pub const ROTATION_CHECK: Duration = Duration::from_millis(100);

/// What runs the pods of a node: the caller's own idea of a sandbox (a network namespace, a process, nothing).
pub trait PodRuntime: Send + Sync + 'static {
    /// Makes the sandbox and starts what runs in it. The pod is `Running` once this has returned; an error makes it
    /// `Failed` with the error as its message.
    fn start(&self, pod: PodSandbox) -> BoxFuture<'_, Result<(), String>>;

    /// Stops a sandbox, killing what still runs after `grace`, and removes it. The pod is gone from the API once
    /// this has returned.
    ///
    /// Called for every pod that ends, one whose start failed or that was never started included: a UID that is not
    /// known is nothing to do. If the grace period is shortened meanwhile, the future is dropped and this is called
    /// again with the shorter one.
    fn stop(&self, uid: &str, grace: Duration) -> BoxFuture<'_, ()>;

    /// Puts files in the place of those that a running pod has: all of its [`files`](PodSandbox::files), with fresh
    /// tokens. Called within about [`ROTATION_CHECK`] of real time after four fifths of the first token's time are over
    /// by the world's clock, and when a kubelet takes on a pod that runs already. A UID that is not known is nothing to
    /// do. A failure is logged, and tried again after a second.
    ///
    /// A runtime that has no files does nothing, as this does.
    fn update_files(&self, uid: &str, files: Vec<PodFile>) -> BoxFuture<'_, Result<(), String>> {
        let _ = (uid, files);
        Box::pin(async { Ok(()) })
    }
}

/// A pod that is to run.
#[derive(Clone, Debug)]
pub struct PodSandbox {
    /// `metadata.uid`; a recreated pod has another one.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// The node it is bound to.
    pub node: String,
    /// Its address: one of the node's pod range, the node's own for a pod of the host network, or the one requested.
    pub address: Ipv4Addr,
    /// All its addresses, [`address`](Self::address) first unless another family was requested first.
    pub addresses: Vec<IpAddr>,
    /// It shares the node's network.
    pub host_network: bool,
    /// What its projected volumes bring into its containers: the token of its service account, the authority of the
    /// API server and its namespace in `/var/run/secrets/kubernetes.io/serviceaccount`, unless
    /// `automountServiceAccountToken` is false, and what else it has of tokens and fields of its own. Sorted by path.
    pub files: Vec<PodFile>,
    /// The object, as it was when it was bound.
    pub pod: Pod,
}
