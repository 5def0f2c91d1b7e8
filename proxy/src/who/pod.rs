use std::net::IpAddr;

use k8s_openapi::api::core::v1::Pod;

/// The pod annotations that are read.
#[derive(Clone, Debug)]
pub struct AnnotationKeys {
    /// Names the role.
    pub role: String,
    /// Gives the external id for AssumeRole.
    pub external_id: String,
    /// Names a role of Vault.
    pub vault_role: String,
}

/// What is kept of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodRecord {
    /// `metadata.uid`: tells a pod from its successor of the same name.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// All of `status.podIPs`.
    pub addresses: Vec<IpAddr>,
    /// Whether its addresses are its own and in use: neither on the host's network nor finished. A pod that is being
    /// deleted runs until it is gone.
    pub live: bool,
    /// The role annotation, as it is written.
    pub role: Option<String>,
    /// The external id annotation; an empty one is none.
    pub external_id: Option<String>,
    /// The Vault role annotation, as it is written.
    pub vault_role: Option<String>,
    /// `spec.serviceAccountName`; `default` if there is none.
    pub service_account: String,
}

impl PodRecord {
    /// Reads a pod; none if it has no UID, which no stored pod lacks.
    pub fn read(pod: &Pod, keys: &AnnotationKeys) -> Option<Self> {
        let metadata = &pod.metadata;
        let status = pod.status.as_ref();
        let annotation = |key: &str| metadata.annotations.as_ref().and_then(|all| all.get(key)).cloned();
        let finished = status
            .and_then(|s| s.phase.as_deref())
            .is_some_and(|phase| phase == "Succeeded" || phase == "Failed");
        let on_host = pod.spec.as_ref().and_then(|spec| spec.host_network).unwrap_or(false);
        let many = status
            .and_then(|s| s.pod_ips.as_deref())
            .unwrap_or_default()
            .iter()
            .map(|ip| ip.ip.as_str());
        let one = status.and_then(|s| s.pod_ip.as_deref());
        let mut addresses: Vec<IpAddr> = many.chain(one).filter_map(|text| text.parse().ok()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        Some(Self {
            uid: metadata.uid.clone()?,
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            addresses,
            live: !finished && !on_host,
            role: annotation(&keys.role),
            external_id: annotation(&keys.external_id).filter(|id| !id.is_empty()),
            vault_role: annotation(&keys.vault_role),
            service_account: pod
                .spec
                .as_ref()
                .and_then(|spec| spec.service_account_name.clone())
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "default".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn read(spec: serde_json::Value, status: serde_json::Value) -> PodRecord {
        let keys = AnnotationKeys {
            role: "r".to_owned(),
            external_id: "e".to_owned(),
            vault_role: "v".to_owned(),
        };
        let pod = serde_json::from_value(json!({
            "metadata": { "uid": "u", "name": "p", "namespace": "n", "annotations": { "r": "Role", "e": "", "v": "readonly" } },
            "spec": spec, "status": status,
        }))
        .unwrap();
        PodRecord::read(&pod, &keys).unwrap()
    }

    #[rstest]
    #[case(json!({"containers": []}), json!({"phase": "Running", "podIP": "10.0.0.1"}), true)]
    #[case(json!({"containers": []}), json!({"phase": "Pending", "podIP": "10.0.0.1"}), true)]
    #[case(json!({"containers": []}), json!({"phase": "Succeeded", "podIP": "10.0.0.1"}), false)]
    #[case(json!({"containers": []}), json!({"phase": "Failed", "podIP": "10.0.0.1"}), false)]
    #[case(json!({"containers": [], "hostNetwork": true}), json!({"phase": "Running", "podIP": "10.0.0.1"}), false)]
    fn a_pod_is_live_while_its_addresses_are_its_own(
        #[case] spec: serde_json::Value,
        #[case] status: serde_json::Value,
        #[case] live: bool,
    ) {
        assert_eq!(read(spec, status).live, live);
    }

    #[rstest]
    #[case(json!({"containers": [], "serviceAccountName": "reader"}), "reader")]
    #[case(json!({"containers": []}), "default")]
    fn a_pod_acts_as_its_service_account(#[case] spec: serde_json::Value, #[case] account: &str) {
        let record = read(spec, json!({}));
        assert_eq!(record.service_account, account);
        assert_eq!(record.vault_role.as_deref(), Some("readonly"));
    }

    #[test]
    fn all_addresses_count_and_an_empty_external_id_is_none() {
        let record = read(
            json!({"containers": []}),
            json!({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}),
        );
        assert_eq!(record.addresses.len(), 2);
        assert_eq!(record.external_id, None);
        assert_eq!(record.role.as_deref(), Some("Role"));
    }
}
