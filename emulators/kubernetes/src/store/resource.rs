use k8s_openapi::api::{apps, core::v1};
use serde_json::Value;

use super::{
    kind::typed,
    object::{has, unset},
};

/// A resource type that the server keeps. The order is that of discovery.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Resource {
    Namespaces,
    Nodes,
    Pods,
    ServiceAccounts,
    DaemonSets,
    Deployments,
}

// === impl Resource ===

impl Resource {
    pub(crate) const ALL: [Self; 6] = [
        Self::Namespaces,
        Self::Nodes,
        Self::Pods,
        Self::ServiceAccounts,
        Self::DaemonSets,
        Self::Deployments,
    ];

    /// The resource that a path names, by API group (empty for the core), version and plural.
    pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|r| group == r.group() && version == r.version() && r.plural() == plural)
    }

    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Nodes => "nodes",
            Self::Pods => "pods",
            Self::ServiceAccounts => "serviceaccounts",
            Self::DaemonSets => "daemonsets",
            Self::Deployments => "deployments",
        }
    }

    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Namespaces => "namespace",
            Self::Nodes => "node",
            Self::Pods => "pod",
            Self::ServiceAccounts => "serviceaccount",
            Self::DaemonSets => "daemonset",
            Self::Deployments => "deployment",
        }
    }

    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Namespaces => "Namespace",
            Self::Nodes => "Node",
            Self::Pods => "Pod",
            Self::ServiceAccounts => "ServiceAccount",
            Self::DaemonSets => "DaemonSet",
            Self::Deployments => "Deployment",
        }
    }

    pub(crate) fn short_names(self) -> &'static [&'static str] {
        match self {
            Self::Namespaces => &["ns"],
            Self::Nodes => &["no"],
            Self::Pods => &["po"],
            Self::ServiceAccounts => &["sa"],
            Self::DaemonSets => &["ds"],
            Self::Deployments => &["deploy"],
        }
    }

    /// The words that name several types at once, such as `kubectl get all`.
    pub(crate) fn categories(self) -> &'static [&'static str] {
        match self {
            Self::Pods | Self::DaemonSets | Self::Deployments => &["all"],
            Self::Namespaces | Self::Nodes | Self::ServiceAccounts => &[],
        }
    }

    /// The API group, empty for the core.
    pub(crate) fn group(self) -> &'static str {
        if self.is_workload() { "apps" } else { "" }
    }

    /// The version of its group, without the group.
    pub(crate) fn version(self) -> &'static str {
        "v1"
    }

    /// `apiVersion` of its objects.
    pub(crate) fn api_version(self) -> &'static str {
        if self.is_workload() { "apps/v1" } else { "v1" }
    }

    /// `word`, the plural or the kind, as the server's messages name it: with the group unless that is the core.
    pub(crate) fn qualified(self, word: &str) -> String {
        match self.group() {
            "" => word.to_owned(),
            group => format!("{word}.{group}"),
        }
    }

    pub(crate) fn is_namespaced(self) -> bool {
        !matches!(self, Self::Namespaces | Self::Nodes)
    }

    /// Whether its objects have pods made by a controller, from a template.
    pub(crate) fn is_workload(self) -> bool {
        matches!(self, Self::DaemonSets | Self::Deployments)
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
            Self::ServiceAccounts | Self::DaemonSets | Self::Deployments => &[],
        }
    }

    /// Checks the types of an object's fields and drops the fields that its type does not have.
    pub(crate) fn decode(self, object: Value) -> Result<Value, serde_json::Error> {
        // The typed form cannot say that a selector is absent, which is an error of its own.
        let unselected = self.is_workload() && !has(&object, "/spec/selector");
        let mut decoded = match self {
            Self::Namespaces => typed::<v1::Namespace>(object),
            Self::Nodes => typed::<v1::Node>(object),
            Self::Pods => typed::<v1::Pod>(object),
            Self::ServiceAccounts => typed::<v1::ServiceAccount>(object),
            Self::DaemonSets => typed::<apps::v1::DaemonSet>(object),
            Self::Deployments => typed::<apps::v1::Deployment>(object),
        }?;
        if unselected {
            unset(&mut decoded, &["spec", "selector"]);
        }
        Ok(decoded)
    }
}
