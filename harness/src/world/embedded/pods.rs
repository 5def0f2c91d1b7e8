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

use super::{
    Ground,
    network::{AWS_PORT, Network, vpc, wait_until_connected},
};

/// A pod that is there, or was.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) node: String,
    pub(super) address: Ipv4Addr,
    pub(super) host_network: bool,
    /// The end of its wire on the node's bridge, if it has one of its own.
    wire: Option<String>,
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
        let failed = |error: rolecall_namespaces::Error| error.to_string();
        let node = self.network.node(&sandbox.node).map_err(|error| error.to_string())?;
        let title = format!("{}/{}", sandbox.namespace, sandbox.name);
        let processes = self.ground.processes();
        let having = (!sandbox.host_network)
            .then(|| self.by_address(sandbox.address.into()))
            .flatten();
        let mut wire = None;
        let host = match &having {
            _ if sandbox.host_network => Namespace::sharing_network_async(&title, &node.host, processes).await,
            // Two live pods with one address are one host with two pods, as when a network hands an address out twice.
            Some(other) if !other.gone => Namespace::sharing_network_async(&title, &other.host, processes).await,
            _ => {
                if let Some(name) = having.and_then(|gone| gone.wire) {
                    node.host
                        .run_async(move |inside| inside.remove(&name))
                        .await
                        .map_err(failed)?
                        .map_err(failed)?;
                }
                let name = format!("p{}", self.interfaces.fetch_add(1, Ordering::Relaxed));
                wire = Some(name);
                Namespace::new_async(&title, processes).await
            }
        }
        .map_err(failed)?;
        if let Some(name) = &wire {
            let wire = Wire {
                name: name.clone(),
                bridge: super::network::POD_BRIDGE.to_owned(),
                far_name: "eth0".to_owned(),
                address: sandbox.address.into(),
                prefix: 24,
                gateway: node.bridge().into(),
            };
            node.host.wire(&host, wire).await.map_err(failed)?;
        }
        if wire.is_some() {
            wait_until_connected(&host, vpc(AWS_PORT))
                .await
                .map_err(|error| error.to_string())?;
        }
        let further: Vec<IpAddr> = match wire {
            Some(_) => sandbox
                .addresses
                .iter()
                .copied()
                .filter(|address| *address != sandbox.address)
                .collect(),
            None => Vec::new(),
        };
        host.run_async(move |inside| {
            for address in further {
                inside.address("eth0", address, if address.is_ipv4() { 24 } else { 64 })?;
            }
            inside.mount_run_tmpfs().map(|_| ())
        })
        .await
        .and_then(|done| done)
        .map_err(failed)?;
        let pod = Pod {
            namespace: sandbox.namespace,
            name: sandbox.name,
            node: sandbox.node,
            address: sandbox.address,
            host_network: sandbox.host_network,
            wire,
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
