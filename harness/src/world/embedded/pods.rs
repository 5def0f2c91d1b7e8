//! The kubelet's runtime: a pod is a namespace wired to its node's bridge.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use rolecall_kubernetes::{PodRuntime, PodSandbox};
use rolecall_namespaces::{Namespace, Wire};

use super::{Ground, network::Network};

/// A pod that is there, or was.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) node: String,
    pub(super) address: Ipv4Addr,
    pub(super) host_network: bool,
    pub(super) host: Arc<Namespace>,
    pub(super) gone: bool,
}

/// All pods of a world. Those that are gone stay known: the journal still names them by their address, and the kernel
/// takes namespaces down slowly, so that is left for the end of the process.
#[derive(Debug)]
pub(super) struct Pods {
    ground: Ground,
    network: Arc<Network>,
    interfaces: AtomicU32,
    pods: Mutex<HashMap<String, Pod>>,
}

// === impl Pods ===

impl Pods {
    pub(super) fn new(ground: Ground, network: Arc<Network>) -> Self {
        Self {
            ground,
            network,
            interfaces: AtomicU32::new(1),
            pods: Mutex::default(),
        }
    }

    /// The live pod of this name.
    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<Pod> {
        let pods = self.pods.lock().unwrap_or_else(PoisonError::into_inner);
        pods.values()
            .find(|pod| !pod.gone && pod.namespace == namespace && pod.name == name)
            .cloned()
    }

    /// The pod that has this address, or had it last.
    pub(super) fn by_address(&self, address: IpAddr) -> Option<Pod> {
        let pods = self.pods.lock().unwrap_or_else(PoisonError::into_inner);
        let mut having = pods
            .values()
            .filter(|pod| IpAddr::V4(pod.address) == address && !pod.host_network);
        let first = having.next()?;
        Some(having.find(|pod| !pod.gone).unwrap_or(first).clone())
    }

    async fn make(&self, sandbox: PodSandbox) -> Result<(), String> {
        let node = self.network.node(&sandbox.node).map_err(|error| error.to_string())?;
        let (ground, title) = (self.ground.clone(), format!("{}/{}", sandbox.namespace, sandbox.name));
        let (of_node, host_network) = (node.host.clone(), sandbox.host_network);
        // Waits for a new thread, so not on a thread of the runtime.
        let made = tokio::task::spawn_blocking(move || {
            if host_network {
                Namespace::sharing_network(&title, &of_node, ground.processes())
            } else {
                Namespace::new(&title, ground.processes())
            }
        });
        let host = made
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        if !host_network {
            let wire = Wire {
                name: format!("p{}", self.interfaces.fetch_add(1, Ordering::Relaxed)),
                bridge: super::network::POD_BRIDGE.to_owned(),
                far_name: "eth0".to_owned(),
                address: sandbox.address.into(),
                prefix: 24,
                gateway: node.bridge().into(),
            };
            node.host.wire(&host, wire).await.map_err(|error| error.to_string())?;
        }
        host.run_async(|inside| inside.mount_run_tmpfs().map(|_| ()))
            .await
            .and_then(|mounted| mounted)
            .map_err(|error| error.to_string())?;
        let pod = Pod {
            namespace: sandbox.namespace,
            name: sandbox.name,
            node: sandbox.node,
            address: sandbox.address,
            host_network,
            host: Arc::new(host),
            gone: false,
        };
        self.pods
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(sandbox.uid, pod);
        Ok(())
    }
}

impl PodRuntime for Pods {
    fn start(&self, pod: PodSandbox) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.make(pod))
    }

    fn stop(&self, uid: &str, _grace: Duration) -> BoxFuture<'_, ()> {
        // Whatever ran in the pod was a probe of a step that has ended: there is nobody to wait for.
        if let Some(pod) = self.pods.lock().unwrap_or_else(PoisonError::into_inner).get_mut(uid) {
            pod.gone = true;
        }
        Box::pin(async {})
    }
}
