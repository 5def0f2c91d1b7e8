use serde_json::{Value, json};

use super::{DeleteOptions, Registry};
use crate::{
    api::ApiError,
    store::{
        Key, Resource, State,
        object::{has, set, set_default, text},
    },
};

/// The namespaces that are there from the start and cannot be deleted.
const IMMORTAL: [&str; 2] = ["default", "kube-system"];

/// What the server adds to a new namespace.
pub(super) fn set_defaults(namespace: &mut Value) {
    let name = text(namespace, "/metadata/name").to_owned();
    set(namespace, &["metadata", "labels", "kubernetes.io/metadata.name"], name);
    set_default(namespace, &["spec", "finalizers"], json!(["kubernetes"]));
    set(namespace, &["status"], json!({"phase": "Active"}));
}

// === impl Registry ===

impl Registry {
    pub(super) fn make_initial_namespaces(&self) {
        for name in IMMORTAL {
            let namespace = json!({"metadata": {"name": name}});
            if let Err(error) = self.create(Resource::Namespaces, None, namespace) {
                tracing::error!(?error, name, "an initial namespace was refused");
            }
        }
    }

    pub(super) fn make_default_service_account(&self, state: &mut State, namespace: &str) {
        let account = json!({"metadata": {"name": "default"}});
        if let Err(error) = self.create_in(state, Resource::ServiceAccounts, namespace, account) {
            tracing::error!(?error, namespace, "the default service account was refused");
        }
    }

    /// Whether something may be made in `namespace`.
    pub(super) fn check_namespace(
        state: &State,
        resource: Resource,
        namespace: &str,
        name: &str,
    ) -> Result<(), ApiError> {
        match state.get(&Key::new(Resource::Namespaces, "", namespace)) {
            None => Err(ApiError::not_found(Resource::Namespaces, namespace)),
            Some(found) if has(found, "/metadata/deletionTimestamp") => {
                Err(ApiError::namespace_terminating(resource, name, namespace))
            }
            Some(_) => Ok(()),
        }
    }

    /// Whether there is such a namespace, ending or not.
    pub(crate) fn check_namespace_exists(state: &State, namespace: &str) -> Result<(), ApiError> {
        match state.get(&Key::new(Resource::Namespaces, "", namespace)) {
            Some(_) => Ok(()),
            None => Err(ApiError::not_found(Resource::Namespaces, namespace)),
        }
    }

    /// Begins the end of a namespace: what is in it is deleted, and when the last of it is gone, so is it.
    pub(super) fn delete_namespace(&self, state: &mut State, key: &Key) -> Result<Value, ApiError> {
        let name = &key.name;
        if IMMORTAL.contains(&name.as_str()) {
            let why = "this namespace may not be deleted";
            return Err(ApiError::forbidden(Resource::Namespaces, name, why));
        }
        let Some(current) = state.get(key) else {
            return Err(ApiError::not_found(Resource::Namespaces, name));
        };
        if has(current, "/metadata/deletionTimestamp") {
            let why = "The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.";
            return Err(ApiError::conflict(Resource::Namespaces, name, why));
        }
        let mut ending = Value::clone(current);
        set(&mut ending, &["metadata", "deletionTimestamp"], self.now());
        set(&mut ending, &["status", "phase"], "Terminating");
        let answer = Value::clone(&state.put(key.clone(), ending));
        // What makes pods goes before the pods.
        for resource in Resource::ALL
            .into_iter()
            .rev()
            .filter(|resource| resource.is_namespaced())
        {
            let content: Vec<Key> = state.list(resource, Some(name)).map(|(key, _)| key.clone()).collect();
            for key in content {
                self.delete_in(state, &key, &DeleteOptions::default())?;
            }
        }
        self.purge_namespace(state, name);
        Ok(answer)
    }

    /// Removes a namespace that is ending, once nothing is left in it.
    pub(super) fn purge_namespace(&self, state: &mut State, name: &str) {
        let key = Key::new(Resource::Namespaces, "", name);
        let ending = state
            .get(&key)
            .is_some_and(|namespace| has(namespace, "/metadata/deletionTimestamp"));
        let empty = Resource::ALL
            .into_iter()
            .filter(|resource| resource.is_namespaced())
            .all(|resource| state.list(resource, Some(name)).next().is_none());
        if ending && empty {
            state.remove(&key);
        }
    }
}
