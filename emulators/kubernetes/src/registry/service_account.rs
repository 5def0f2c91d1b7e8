//! What the ServiceAccount admission does to a pod: its account must be there, and its token is mounted.

use serde_json::{Value, json};

use super::create::random_suffix;
use crate::{
    api::ApiError,
    authentication::DEFAULT_MOUNT_EXPIRATION,
    store::{
        Key, Resource, State,
        object::{items, set, text},
    },
};

/// Where a program looks for the token of its pod's account, and for what goes with it.
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// What the names of the volumes with such tokens begin with.
const VOLUME_PREFIX: &str = "kube-api-access-";
/// The config map that holds the authority of the API server in every namespace.
pub(crate) const ROOT_CA: &str = "kube-root-ca.crt";

/// Looks the account up, and mounts its token unless the pod or the account says that none is wanted, or a container
/// has a mount in that place.
pub(super) fn admit(state: &State, namespace: &str, name: &str, pod: &mut Value) -> Result<(), ApiError> {
    let account = text(pod, "/spec/serviceAccountName").to_owned();
    let Some(found) = state.get(&Key::new(Resource::ServiceAccounts, namespace, &account)) else {
        let why =
            format!("error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found");
        return Err(ApiError::forbidden(Resource::Pods, name, &why));
    };
    let said = |object: &Value, pointer: &str| object.pointer(pointer).and_then(Value::as_bool);
    let wanted = said(pod, "/spec/automountServiceAccountToken")
        .or_else(|| said(found, "/automountServiceAccountToken"))
        .unwrap_or(true);
    if wanted {
        mount(pod);
    }
    Ok(())
}

fn mount(pod: &mut Value) {
    let present = items(pod, "/spec/volumes")
        .iter()
        .map(|volume| text(volume, "/name"))
        .find(|name| name.starts_with(VOLUME_PREFIX))
        .map(str::to_owned);
    let volume = present
        .clone()
        .unwrap_or_else(|| format!("{VOLUME_PREFIX}{}", random_suffix()));
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        let Some(containers) = pod["spec"].get_mut(list).and_then(Value::as_array_mut) else {
            continue;
        };
        for container in containers {
            let mut mounts = items(container, "/volumeMounts").to_vec();
            if mounts.iter().any(|mount| text(mount, "/mountPath") == MOUNT_PATH) {
                continue;
            }
            mounts.push(json!({"name": volume, "readOnly": true, "mountPath": MOUNT_PATH}));
            set(container, &["volumeMounts"], mounts);
            mounted = true;
        }
    }
    if mounted && present.is_none() {
        let mut volumes = items(pod, "/spec/volumes").to_vec();
        volumes.push(json!({"name": volume, "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": DEFAULT_MOUNT_EXPIRATION, "path": "token"}},
                {"configMap": {"name": ROOT_CA, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [{
                    "path": "namespace",
                    "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                }]}},
            ],
            "defaultMode": 0o644,
        }}));
        set(pod, &["spec", "volumes"], volumes);
    }
}
