use std::sync::Arc;

use serde_json::Value;

use super::{Registry, metadata, pod, workload};
use crate::{
    api::ApiError,
    store::{
        Key, Resource,
        object::{carry, has, items, set, text, unset},
    },
};

/// Which part of an object an update is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// Everything but `status`.
    Main,
    /// `status` and `metadata`.
    Status,
}

/// The fields of `metadata` that an update leaves as they are.
const FIXED_FIELDS: [&str; 9] = [
    "name",
    "namespace",
    "generateName",
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
];

// === impl Registry ===

impl Registry {
    /// Replaces an object by what `change` makes of it. What changes nothing is not written.
    pub(crate) fn update(
        &self,
        key: &Key,
        part: Part,
        change: impl FnOnce(&Value) -> Result<Value, ApiError>,
    ) -> Result<Arc<Value>, ApiError> {
        let resource = key.resource;
        self.write(|state| {
            let Some(current) = state.get(key).cloned() else {
                return Err(ApiError::not_found(resource, &key.name));
            };
            let mut wanted = metadata::decode(resource, change(&current)?)?;
            precondition(key, &current, &wanted)?;
            for field in FIXED_FIELDS {
                carry(&mut wanted, &current, &["metadata", field]);
            }
            unset(&mut wanted, &["metadata", "managedFields"]);
            match part {
                Part::Main if resource.has_status() => carry(&mut wanted, &current, &["status"]),
                Part::Main => {}
                Part::Status => carry(&mut wanted, &current, &["spec"]),
            }
            if resource == Resource::Namespaces {
                let label = ["metadata", "labels", "kubernetes.io/metadata.name"];
                set(&mut wanted, &label, key.name.clone());
            }
            let mut errors = Vec::new();
            metadata::check(resource, &wanted, &mut errors);
            if resource == Resource::Pods && part == Part::Main {
                pod::set_defaults(&mut wanted);
                pod::check(&wanted, "spec", &mut errors);
                pod::check_update(&current, &wanted, &mut errors);
            }
            if resource.is_workload() && part == Part::Main {
                workload::set_defaults(resource, &mut wanted);
                workload::check(resource, &wanted, &mut errors);
                workload::check_update(&current, &wanted, &mut errors);
                workload::count_generation(&current, &mut wanted);
            }
            if !errors.is_empty() {
                return Err(ApiError::invalid(resource, &key.name, &errors));
            }
            if wanted == *current {
                return Ok(current);
            }
            let updated = state.put(key.clone(), wanted);
            let released = has(&updated, "/metadata/deletionTimestamp")
                && items(&updated, "/metadata/finalizers").is_empty()
                && !items(&current, "/metadata/finalizers").is_empty();
            if released && resource != Resource::Namespaces {
                self.remove(state, key);
            }
            Ok(updated)
        })
    }
}

/// The name, the version and the UID that an update states must be those of the object.
fn precondition(key: &Key, current: &Value, wanted: &Value) -> Result<(), ApiError> {
    let said = |field: &str| text(wanted, &format!("/metadata/{field}"));
    let is = |field: &str| text(current, &format!("/metadata/{field}"));
    if said("name") != key.name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            said("name"),
            key.name
        )));
    }
    if !said("namespace").is_empty() && said("namespace") != key.namespace {
        return Err(ApiError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !matches!(said("resourceVersion"), "" | "0") && said("resourceVersion") != is("resourceVersion") {
        return Err(ApiError::stale(key.resource, &key.name));
    }
    if !said("uid").is_empty() && said("uid") != is("uid") {
        let why = format!(
            "Precondition failed: UID in precondition: {}, UID in object meta: {}",
            said("uid"),
            is("uid")
        );
        return Err(ApiError::conflict(key.resource, &key.name, &why));
    }
    Ok(())
}
