use std::sync::Arc;

use rand::RngExt;
use serde_json::{Value, json};

use super::{Registry, metadata, namespace, pod, random_uid, service_account, workload};
use crate::{
    api::{ApiError, FieldError},
    store::{
        Key, Resource, State,
        object::{set, text, unset},
    },
};

/// The fields of `metadata` that only the server writes.
const SERVER_FIELDS: [&str; 8] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
    "selfLink",
    "generation",
    "managedFields",
];

// === impl Registry ===

impl Registry {
    /// Makes an object, in `namespace` if its type has namespaces.
    pub(crate) fn create(
        &self,
        resource: Resource,
        namespace: Option<&str>,
        object: Value,
    ) -> Result<Arc<Value>, ApiError> {
        self.write(|state| self.create_in(state, resource, namespace.unwrap_or_default(), object))
    }

    pub(super) fn create_in(
        &self,
        state: &mut State,
        resource: Resource,
        namespace: &str,
        object: Value,
    ) -> Result<Arc<Value>, ApiError> {
        if !text(&object, "/metadata/resourceVersion").is_empty() {
            return Err(ApiError::bad_request(
                "resourceVersion should not be set on objects to be created",
            ));
        }
        let mut object = metadata::decode(resource, object)?;
        let said = text(&object, "/metadata/namespace");
        if !said.is_empty() && said != namespace {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        for field in SERVER_FIELDS {
            unset(&mut object, &["metadata", field]);
        }
        let prefix = text(&object, "/metadata/generateName").to_owned();
        if text(&object, "/metadata/name").is_empty() && !prefix.is_empty() {
            set(&mut object, &["metadata", "name"], generated_name(&prefix));
        }
        if resource.is_namespaced() {
            set(&mut object, &["metadata", "namespace"], namespace);
        }
        let name = text(&object, "/metadata/name").to_owned();
        let mut errors: Vec<FieldError> = Vec::new();
        metadata::check(resource, &object, &mut errors);
        match resource {
            Resource::Pods => {
                pod::set_defaults(&mut object);
                set(&mut object, &["status"], json!({"phase": "Pending"}));
                pod::check(&object, "spec", &mut errors);
            }
            Resource::Namespaces => namespace::set_defaults(&mut object),
            Resource::DaemonSets | Resource::Deployments => {
                workload::set_defaults(resource, &mut object);
                set(&mut object, &["metadata", "generation"], 1);
                set(&mut object, &["status"], workload::initial_status(resource));
                workload::check(resource, &object, &mut errors);
            }
            Resource::Nodes | Resource::ServiceAccounts => {}
        }
        if resource.is_namespaced() {
            Self::check_namespace(state, resource, namespace, &name)?;
        }
        if !errors.is_empty() {
            return Err(ApiError::invalid(resource, &name, &errors));
        }
        if resource == Resource::Pods {
            service_account::admit(state, namespace, &name, &mut object)?;
        }
        let key = Key::new(resource, if resource.is_namespaced() { namespace } else { "" }, &name);
        if state.get(&key).is_some() {
            return Err(ApiError::already_exists(resource, &name));
        }
        set(&mut object, &["metadata", "uid"], random_uid());
        set(&mut object, &["metadata", "creationTimestamp"], self.now());
        let made = state.put(key, object);
        if resource == Resource::Namespaces {
            self.make_default_service_account(state, &name);
        }
        Ok(made)
    }
}

/// `generateName` and a suffix.
fn generated_name(prefix: &str) -> String {
    // The server cuts the prefix so that the whole fits into a label.
    let mut name: String = prefix.chars().take(58).collect();
    name.push_str(&random_suffix());
    name
}

/// Five characters of the alphabet that the server uses for names that it makes up, which spells no words.
pub(super) fn random_suffix() -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut random = rand::rng();
    (0..5)
        .map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]))
        .collect()
}
