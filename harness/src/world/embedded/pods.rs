//! The kubelet's runtime: a pod is a namespace wired to its node's bridge.

use std::{
    collections::HashMap,
    fs, io,
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use rolecall_kubernetes::{PodFile, PodRuntime, PodSandbox};
use rolecall_namespaces::{Namespace, Wire};
use secrecy::ExposeSecret as _;

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
    /// What its container has in its environment by its own specification.
    pub(super) environment: Vec<(String, String)>,
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
        place_files(&host, sandbox.files).await?;
        let environment = environment(&sandbox.pod);
        let pod = Pod {
            namespace: sandbox.namespace,
            name: sandbox.name,
            node: sandbox.node,
            address: sandbox.address,
            host_network: sandbox.host_network,
            environment,
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

    fn update_files(&self, uid: &str, files: Vec<PodFile>) -> BoxFuture<'_, Result<(), String>> {
        let host = {
            let pods = self.pods.lock().unwrap_or_else(PoisonError::into_inner);
            pods.get(uid).filter(|pod| !pod.gone).map(|pod| pod.host.clone())
        };
        Box::pin(async move {
            match host {
                Some(host) => place_files(&host, files).await,
                None => Ok(()),
            }
        })
    }

    fn stop(&self, uid: &str, _grace: Duration) -> BoxFuture<'_, ()> {
        // Whatever ran in the pod was a probe of a step that has ended: there is nobody to wait for.
        if let Some(pod) = self.pods.lock().unwrap_or_else(PoisonError::into_inner).get_mut(uid) {
            pod.gone = true;
        }
        Box::pin(async {})
    }
}

/// Writes what volumes bring into a pod. Whoever reads a file sees the old one or the new one.
///
/// # Errors
/// A file cannot be written, or is to be somewhere else than in the pod's own part of the file system.
async fn place_files(host: &Namespace, files: Vec<PodFile>) -> Result<(), String> {
    if files.is_empty() {
        return Ok(());
    }
    host.run_async(move |_| {
        for file in files {
            // The pod has a /run of its own; all else is this host's.
            let path = file.path.strip_prefix("/var/run/").or(file.path.strip_prefix("/run/"));
            let Some(path) = path.filter(|path| path.split('/').all(|part| part != "..")) else {
                return Err(format!("{}: only /run and /var/run can have a volume here", file.path));
            };
            let path = Path::new("/run").join(path);
            write_file(&path, &file).map_err(|error| format!("write {}: {error}", path.display()))?;
        }
        Ok(())
    })
    .await
    .map_err(|error| error.to_string())?
}

fn write_file(path: &Path, file: &PodFile) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/run"));
    fs::create_dir_all(folder)?;
    let draft = path.with_extension("draft");
    fs::write(&draft, file.contents.expose_secret())?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(file.mode))?;
    fs::rename(&draft, path)
}

/// The variables of a pod's first container that have a value of their own.
fn environment(pod: &k8s_openapi::api::core::v1::Pod) -> Vec<(String, String)> {
    let container = pod.spec.as_ref().and_then(|spec| spec.containers.first());
    let variables = container
        .and_then(|container| container.env.as_ref())
        .into_iter()
        .flatten();
    variables
        .filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?)))
        .collect()
}
