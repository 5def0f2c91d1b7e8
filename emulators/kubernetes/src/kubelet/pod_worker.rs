use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use tokio::sync::watch;

use super::{
    PodSandbox, ROTATION_CHECK,
    files::Files,
    status::{set_failed, set_running},
    sync::Kubelet,
};
use crate::store::{Key, object::text};

/// The annotation by which a pod asks for its addresses: a JSON list of texts, as Calico reads it. The addresses
/// need not be of the node's range, nor free: a pod can be given one that another has or had.
pub const REQUESTED_ADDRESSES: &str = "cni.projectcalico.org/ipAddrs";

/// Between two attempts to make the files of a pod anew.
const RETRY: Duration = Duration::from_secs(1);

/// The life of one pod on its node, from its binding to its end.
pub(super) struct PodWorker {
    kubelet: Arc<Kubelet>,
    key: Key,
    uid: String,
    pod: Arc<Value>,
    /// The address to give back at the end.
    allocated: Option<Ipv4Addr>,
    /// When the files are to be made anew, by the world's clock.
    stale_at: Option<Timestamp>,
}

/// A pod is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Termination {
    pub(super) grace: Duration,
}

// === impl PodWorker ===

impl PodWorker {
    pub(super) fn new(kubelet: Arc<Kubelet>, key: Key, pod: Arc<Value>) -> Self {
        Self {
            uid: text(&pod, "/metadata/uid").to_owned(),
            kubelet,
            key,
            pod,
            allocated: None,
            stale_at: None,
        }
    }

    /// `adopt`: the pod was bound before this kubelet began, and what a former one has started is not started again.
    pub(super) async fn run(mut self, adopt: bool, mut ending: watch::Receiver<Option<Termination>>) {
        if adopt && text(&self.pod, "/status/phase") != "Pending" {
            self.allocated = text(&self.pod, "/status/podIP").parse().ok();
            self.update_files().await;
        } else {
            self.start().await;
        }
        let grace = tokio::select! {
            grace = next(&mut ending) => grace,
            never = self.rotate() => match never {},
        };
        let Some(mut grace) = grace else {
            return;
        };
        loop {
            tokio::select! {
                () = self.kubelet.runtime.stop(&self.uid, grace) => break,
                Some(shorter) = shortened(&mut ending, grace) => grace = shorter,
            }
        }
        self.kubelet.registry.finish_pod(&self.key, &self.uid);
        if let Some(address) = self.allocated {
            self.kubelet.addresses(|pool| pool.release(address));
        }
    }

    async fn start(&mut self) {
        let started = match self.sandbox() {
            Ok(sandbox) => {
                let addresses = sandbox.addresses.clone();
                self.kubelet.runtime.start(sandbox).await.map(|()| addresses)
            }
            Err(message) => Err(message),
        };
        let now = self.kubelet.registry.now();
        let node = self.kubelet.node.address;
        self.kubelet.registry.write(|state| {
            let Some(current) = state.get(&self.key) else { return };
            if text(current, "/metadata/uid") != self.uid {
                return;
            }
            let mut pod = Value::clone(current);
            match started {
                Ok(addresses) => set_running(&mut pod, node, &addresses, &now),
                Err(message) => {
                    tracing::warn!(pod = self.key.name, message, "a pod could not be started");
                    set_failed(&mut pod, &message);
                }
            }
            state.put(self.key.clone(), pod);
        });
    }

    /// Makes the files anew whenever the world's clock says that they are stale. The clock is looked at again and again,
    /// because a timer would not see it moved.
    async fn rotate(&mut self) -> Infallible {
        loop {
            match self.stale_at {
                None => std::future::pending().await,
                Some(at) if at <= self.kubelet.registry.clock.wall() => self.update_files().await,
                Some(_) => tokio::time::sleep(ROTATION_CHECK).await,
            }
        }
    }

    async fn update_files(&mut self) {
        let updated = match self.kubelet.files(&self.key, &self.pod) {
            Ok(Files { files, stale_at }) => {
                self.stale_at = stale_at;
                self.kubelet.runtime.update_files(&self.uid, files).await
            }
            Err(message) => Err(message),
        };
        if let Err(message) = updated {
            tracing::warn!(
                pod = self.key.name,
                message,
                "the files of a pod could not be made anew"
            );
            tokio::time::sleep(RETRY).await;
            self.stale_at = Some(Timestamp::MIN);
        }
    }

    fn sandbox(&mut self) -> Result<PodSandbox, String> {
        let pod: Pod = serde_json::from_value(Value::clone(&self.pod)).map_err(|error| error.to_string())?;
        let host_network = pod.spec.as_ref().and_then(|spec| spec.host_network).unwrap_or(false);
        let addresses = if host_network {
            vec![self.kubelet.node.address.into()]
        } else {
            self.addresses(&pod)?
        };
        let Files { files, stale_at } = self.kubelet.files(&self.key, &self.pod)?;
        self.stale_at = stale_at;
        let address = addresses.iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        });
        Ok(PodSandbox {
            uid: self.uid.clone(),
            namespace: self.key.namespace.clone(),
            name: self.key.name.clone(),
            node: self.kubelet.node.name.clone(),
            address: address.ok_or_else(|| format!("{REQUESTED_ADDRESSES} must list an IPv4 address"))?,
            addresses,
            host_network,
            files,
            pod,
        })
    }

    fn addresses(&mut self, pod: &Pod) -> Result<Vec<IpAddr>, String> {
        let annotations = pod.metadata.annotations.as_ref();
        if let Some(requested) = annotations.and_then(|map| map.get(REQUESTED_ADDRESSES)) {
            let addresses: Vec<IpAddr> = serde_json::from_str(requested)
                .map_err(|error| format!("{REQUESTED_ADDRESSES} must be a JSON list of addresses: {error}"))?;
            for address in &addresses {
                if let IpAddr::V4(address) = address
                    && self.kubelet.addresses(|pool| pool.claim(*address))
                {
                    self.allocated = Some(*address);
                }
            }
            return Ok(addresses);
        }
        let cidr = self.kubelet.node.pod_cidr;
        let address = self
            .kubelet
            .addresses(|pool| pool.allocate())
            .ok_or_else(|| format!("no address is free in {cidr}"))?;
        self.allocated = Some(address);
        Ok(vec![address.into()])
    }
}

/// The grace of the end, once it has come; none if the kubelet ends first.
async fn next(ending: &mut watch::Receiver<Option<Termination>>) -> Option<Duration> {
    ending
        .wait_for(Option::is_some)
        .await
        .ok()
        .and_then(|ending| ending.map(|ending| ending.grace))
}

/// A grace shorter than `grace`, once one is asked for.
async fn shortened(ending: &mut watch::Receiver<Option<Termination>>, grace: Duration) -> Option<Duration> {
    let asked = ending
        .wait_for(|ending| ending.is_some_and(|ending| ending.grace < grace))
        .await
        .ok()?;
    asked.map(|ending| ending.grace)
}
