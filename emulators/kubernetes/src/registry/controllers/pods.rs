//! The pods of a workload: which they are, and how one is made from the template.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use serde_json::{Value, json};

use super::Registry;
use crate::{
    api::ApiError,
    registry::DeleteOptions,
    store::{
        Key, Resource, State,
        object::{has, items, set, text},
    },
};

/// One workload as it is now.
pub(super) struct Workload {
    pub(super) key: Key,
    pub(super) object: Arc<Value>,
    /// The label that tells pods of one template from those of another.
    pub(super) hash_label: &'static str,
    /// Its value for the current template.
    pub(super) hash: String,
}

/// One pod of a workload.
pub(super) struct Owned {
    pub(super) key: Key,
    pub(super) node: String,
    /// Made from the current template.
    pub(super) current: bool,
    pub(super) ready: bool,
    /// It is ending.
    pub(super) ending: bool,
    /// Its place among all pods in order of creation.
    pub(super) created: String,
}

// === impl Workload ===

impl Workload {
    /// All workloads of a type that are not being deleted.
    pub(super) fn all(state: &State, resource: Resource) -> Vec<Self> {
        let hash_label = match resource {
            Resource::DaemonSets => "controller-revision-hash",
            _ => "pod-template-hash",
        };
        state
            .list(resource, None)
            .filter(|(_, object)| !has(object, "/metadata/deletionTimestamp"))
            .map(|(key, object)| Self {
                key: key.clone(),
                object: object.clone(),
                hash_label,
                hash: template_hash(&object["spec"]["template"]),
            })
            .collect()
    }

    /// Its pods, oldest first.
    pub(super) fn pods(&self, state: &State) -> Vec<Owned> {
        let uid = text(&self.object, "/metadata/uid");
        let mut pods: Vec<Owned> = state
            .list(Resource::Pods, Some(&self.key.namespace))
            .filter(|(_, pod)| controller(pod).is_some_and(|owner| text(owner, "/uid") == uid))
            .map(|(key, pod)| Owned {
                key: key.clone(),
                node: text(pod, "/spec/nodeName").to_owned(),
                current: pod["metadata"]["labels"].get(self.hash_label).and_then(Value::as_str) == Some(&self.hash),
                ready: is_ready(pod),
                ending: has(pod, "/metadata/deletionTimestamp"),
                created: format!("{}/{}", text(pod, "/metadata/creationTimestamp"), key.name),
            })
            .collect();
        pods.sort_by(|a, b| a.created.cmp(&b.created));
        pods
    }

    /// A pod as the template has it, without a name.
    pub(super) fn pod(&self) -> Value {
        let template = &self.object["spec"]["template"];
        let mut pod = json!({
            "metadata": {
                "generateName": format!("{}-", self.key.name),
                "labels": template["metadata"]["labels"],
                "annotations": template["metadata"]["annotations"],
                "ownerReferences": [{
                    "apiVersion": self.key.resource.api_version(),
                    "kind": self.key.resource.kind(),
                    "name": self.key.name,
                    "uid": text(&self.object, "/metadata/uid"),
                    "controller": true,
                    "blockOwnerDeletion": true,
                }],
            },
            "spec": template["spec"],
        });
        set(&mut pod, &["metadata", "labels", self.hash_label], self.hash.clone());
        pod
    }
}

// === impl Registry ===

impl Registry {
    pub(super) fn make_pod(&self, state: &mut State, workload: &Workload, pod: Value) -> Result<(), ApiError> {
        self.create_in(state, Resource::Pods, &workload.key.namespace, pod)
            .map(|_| ())
    }

    pub(super) fn end_pod(&self, state: &mut State, pod: &Key) {
        if let Err(error) = self.delete_in(state, pod, &DeleteOptions::default()) {
            tracing::warn!(?error, pod = pod.name, "a pod of a workload could not be deleted");
        }
    }
}

/// The owner that controls an object.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    items(object, "/metadata/ownerReferences")
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
}

fn is_ready(pod: &Value) -> bool {
    items(pod, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == "Ready" && text(condition, "/status") == "True")
}

/// A short name for a template, the same for every order of its fields. The alphabet is that of generated names.
fn template_hash(template: &Value) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut hasher = DefaultHasher::new();
    in_order(template).hash(&mut hasher);
    let mut rest = hasher.finish();
    std::iter::from_fn(|| {
        let letter = ALPHABET.get(usize::try_from(rest % 27).ok()?)?;
        rest /= 27;
        Some(char::from(*letter))
    })
    .take(10)
    .collect()
}

fn in_order(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, String> = fields.iter().map(|(key, value)| (key, in_order(value))).collect();
            format!("{fields:?}")
        }
        Value::Array(list) => format!("{:?}", list.iter().map(in_order).collect::<Vec<_>>()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_template_is_of_what_it_says_and_not_of_its_order() {
        let one = template_hash(&json!({"a": 1, "b": {"c": "x", "d": [1, 2]}}));
        assert_eq!(one, template_hash(&json!({"b": {"d": [1, 2], "c": "x"}, "a": 1})));
        assert_ne!(one, template_hash(&json!({"a": 1, "b": {"c": "x", "d": [2, 1]}})));
        assert_eq!(one.len(), 10);
    }
}
