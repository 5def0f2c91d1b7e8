use k8s_openapi::api::core::v1;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A resource type that the server keeps. The order is that of discovery.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Resource {
    Namespaces,
    Nodes,
    Pods,
    ServiceAccounts,
}

// === impl Resource ===

impl Resource {
    pub(crate) const ALL: [Self; 4] = [Self::Namespaces, Self::Nodes, Self::Pods, Self::ServiceAccounts];

    /// The resource that a path names, by API group (empty for the core), version and plural.
    pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|r| group.is_empty() && version == "v1" && r.plural() == plural)
    }

    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Nodes => "nodes",
            Self::Pods => "pods",
            Self::ServiceAccounts => "serviceaccounts",
        }
    }

    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Namespaces => "namespace",
            Self::Nodes => "node",
            Self::Pods => "pod",
            Self::ServiceAccounts => "serviceaccount",
        }
    }

    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Namespaces => "Namespace",
            Self::Nodes => "Node",
            Self::Pods => "Pod",
            Self::ServiceAccounts => "ServiceAccount",
        }
    }

    pub(crate) fn short_names(self) -> &'static [&'static str] {
        match self {
            Self::Namespaces => &["ns"],
            Self::Nodes => &["no"],
            Self::Pods => &["po"],
            Self::ServiceAccounts => &["sa"],
        }
    }

    pub(crate) fn api_version(self) -> &'static str {
        "v1"
    }

    pub(crate) fn is_namespaced(self) -> bool {
        matches!(self, Self::Pods | Self::ServiceAccounts)
    }

    /// Whether its `status` is a subresource of its own, which an update of the object does not touch.
    pub(crate) fn has_status(self) -> bool {
        !matches!(self, Self::ServiceAccounts)
    }

    /// The fields that a field selector may name, besides `metadata.name` and, where namespaced,
    /// `metadata.namespace` (the server's `AddFieldLabelConversionFunc`).
    pub(crate) fn selectable_fields(self) -> &'static [&'static str] {
        match self {
            Self::Namespaces => &["status.phase"],
            Self::Nodes => &["spec.unschedulable"],
            Self::Pods => &[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "spec.hostNetwork",
                "status.phase",
                "status.podIP",
                "status.nominatedNodeName",
            ],
            Self::ServiceAccounts => &[],
        }
    }

    /// Checks the types of an object's fields and drops the fields that its type does not have.
    pub(crate) fn decode(self, object: Value) -> Result<Value, serde_json::Error> {
        fn typed<T: DeserializeOwned + Serialize>(object: Value) -> Result<Value, serde_json::Error> {
            serde_json::to_value(serde_json::from_value::<T>(object)?)
        }
        match self {
            Self::Namespaces => typed::<v1::Namespace>(object),
            Self::Nodes => typed::<v1::Node>(object),
            Self::Pods => typed::<v1::Pod>(object),
            Self::ServiceAccounts => typed::<v1::ServiceAccount>(object),
        }
    }
}
