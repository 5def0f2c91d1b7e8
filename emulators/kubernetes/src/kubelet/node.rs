use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::PodCidr;
use crate::{
    api::VERSION,
    registry::{CONTROL_PLANE, Registry, random_uid},
    store::{Key, Resource, object::carry},
};

/// A node, as its kubelet registers it, with the labels that kops gives it today and gave it of old
/// (`kubernetes.io/role`). One whose name begins with `master-` gets the label and the taint of the control plane.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// `metadata.name`, a DNS subdomain such as `node-1`.
    pub name: String,
    /// Its address in the network of the nodes.
    pub address: Ipv4Addr,
    /// The range of its pods' addresses.
    pub pod_cidr: PodCidr,
    /// `spec.providerID`, such as `aws:///us-east-1a/i-0123456789abcdef0`; empty for none. Its last part is the EC2
    /// instance id, shown as `spec.externalID` as well; the part before it names the zone.
    pub provider_id: String,
}

/// The label of the nodes that run what is not of the control plane.
const WORKER: &str = "node-role.kubernetes.io/node";

// === impl NodeSettings ===

impl NodeSettings {
    /// Makes the `Node` object, or brings the one of that name up to date, keeping what others wrote to it.
    pub(super) fn register(&self, registry: &Registry) {
        let node = self.to_object(&registry.now());
        let key = Key::new(Resource::Nodes, "", &self.name);
        registry.write(|state| {
            let Some(current) = state.get(&key).cloned() else {
                return;
            };
            let mut updated = Value::clone(&current);
            carry(&mut updated, &node, &["status"]);
            for field in ["podCIDR", "podCIDRs", "providerID", "externalID"] {
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
        let labels = &mut node["metadata"]["labels"];
        let master = self.name.starts_with("master-");
        labels["kubernetes.io/role"] = if master { "master" } else { "node" }.into();
        labels[if master { CONTROL_PLANE } else { WORKER }] = "".into();
        // aws:///ZONE/INSTANCE, the zone being the region and a letter.
        let mut parts = self.provider_id.rsplit('/');
        let (instance, zone) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if let Some(region) = zone.strip_suffix(|last: char| last.is_ascii_lowercase())
            && self.provider_id.starts_with("aws://")
        {
            labels["topology.kubernetes.io/zone"] = zone.into();
            labels["topology.kubernetes.io/region"] = region.into();
        }
        if !self.provider_id.is_empty() {
            node["spec"]["providerID"] = self.provider_id.clone().into();
            node["spec"]["externalID"] = instance.into();
        }
        if master {
            node["spec"]["taints"] = json!([{"key": CONTROL_PLANE, "effect": "NoSchedule"}]);
        }
        node
    }
}
