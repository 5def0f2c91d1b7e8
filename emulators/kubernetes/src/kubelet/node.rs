use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::PodCidr;
use crate::{
    api::VERSION,
    registry::{CONTROL_PLANE, Registry, random_uid},
    store::{Key, Resource, object::carry},
};

/// A node, as its kubelet registers it. One whose name begins with `master-` gets the label and the taint of the
/// control plane.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// `metadata.name`, a DNS subdomain such as `node-1`.
    pub name: String,
    /// Its address in the network of the nodes.
    pub address: Ipv4Addr,
    /// The range of its pods' addresses.
    pub pod_cidr: PodCidr,
    /// `spec.providerID`, such as `aws:///us-east-1a/i-0123456789abcdef0`; empty for none.
    pub provider_id: String,
}

// === impl NodeSettings ===

impl NodeSettings {
    /// Makes the `Node` object, or brings the one of that name up to date, keeping what others wrote to it.
    pub(super) fn register(&self, registry: &Registry) {
        let node = self.to_object(&registry.now());
        let key = Key::new(Resource::Nodes, "", &self.name);
        registry.store.write(|state| {
            let Some(current) = state.get(&key).cloned() else {
                return;
            };
            let mut updated = Value::clone(&current);
            carry(&mut updated, &node, &["status"]);
            for field in ["podCIDR", "podCIDRs", "providerID"] {
                carry(&mut updated, &node, &["spec", field]);
            }
            state.put(key.clone(), updated);
        });
        if registry.store.read(|state| state.get(&key).is_none())
            && let Err(error) = registry.create(Resource::Nodes, None, node)
        {
            tracing::error!(?error, node = self.name, "the node was refused");
        }
    }

    fn to_object(&self, now: &str) -> Value {
        let mut node = json!({
            "metadata": {
                "name": self.name,
                "labels": {
                    "kubernetes.io/arch": "amd64",
                    "kubernetes.io/hostname": self.name,
                    "kubernetes.io/os": "linux",
                },
            },
            "spec": {
                "podCIDR": self.pod_cidr.to_string(),
                "podCIDRs": [self.pod_cidr.to_string()],
            },
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": self.address.to_string()},
                    {"type": "Hostname", "address": self.name},
                ],
                "capacity": {"pods": "110"},
                "allocatable": {"pods": "110"},
                "conditions": [{
                    "type": "Ready",
                    "status": "True",
                    "reason": "KubeletReady",
                    "message": "kubelet is posting ready status",
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                }],
                "nodeInfo": {
                    "architecture": "amd64",
                    "bootID": random_uid(),
                    "containerRuntimeVersion": "rolecall://0",
                    "kernelVersion": "",
                    "kubeProxyVersion": "",
                    "kubeletVersion": VERSION,
                    "machineID": "",
                    "operatingSystem": "linux",
                    "osImage": "",
                    "systemUUID": "",
                },
            },
        });
        if !self.provider_id.is_empty() {
            node["spec"]["providerID"] = self.provider_id.clone().into();
        }
        if self.name.starts_with("master-") {
            node["metadata"]["labels"][CONTROL_PLANE] = "".into();
            node["spec"]["taints"] = json!([{"key": CONTROL_PLANE, "effect": "NoSchedule"}]);
        }
        node
    }
}
