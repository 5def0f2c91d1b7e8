use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{metadata::check_label, volumes};
use crate::{
    api::FieldError,
    store::object::{carry, items, set, set_default, text},
};

/// What the server and its admission fill in where a pod's `spec` is silent.
pub(super) fn set_defaults(pod: &mut Value) {
    let account = match text(pod, "/spec/serviceAccountName") {
        "" => match text(pod, "/spec/serviceAccount") {
            "" => "default",
            old_name => old_name,
        },
        account => account,
    }
    .to_owned();
    set(pod, &["spec", "serviceAccountName"], account.clone());
    set(pod, &["spec", "serviceAccount"], account);
    set_default(pod, &["spec", "enableServiceLinks"], true);
    set_spec_defaults(pod);
}

/// The part of the defaults that a template of pods gets too.
pub(super) fn set_spec_defaults(pod: &mut Value) {
    for (field, value) in [
        ("restartPolicy", json!("Always")),
        ("dnsPolicy", json!("ClusterFirst")),
        ("schedulerName", json!("default-scheduler")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("securityContext", json!({})),
    ] {
        set_default(pod, &["spec", field], value);
    }
    volumes::set_defaults(pod);
    for list in ["initContainers", "containers"] {
        let Some(containers) = pod["spec"].get_mut(list).and_then(Value::as_array_mut) else {
            continue;
        };
        for container in containers {
            let image = text(container, "/image");
            let latest = !image.is_empty()
                && !image.contains('@')
                && image
                    .rsplit('/')
                    .next()
                    .is_some_and(|last| !last.contains(':') || last.ends_with(":latest"));
            let policy = if latest { "Always" } else { "IfNotPresent" };
            set_default(container, &["imagePullPolicy"], policy);
            set_default(container, &["resources"], json!({}));
            set_default(container, &["terminationMessagePath"], "/dev/termination-log");
            set_default(container, &["terminationMessagePolicy"], "File");
        }
    }
}

/// What is wrong with the `spec` of a pod, or of a template of pods; `path` is where that stands.
pub(super) fn check(pod: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let volumes = volumes::check(pod, path, errors);
    if items(pod, "/spec/containers").is_empty() {
        errors.push(FieldError::required(format!("{path}.containers"), ""));
    }
    let mut names = BTreeSet::new();
    for list in ["initContainers", "containers"] {
        for (at, container) in items(pod, &format!("/spec/{list}")).iter().enumerate() {
            let field = format!("{path}.{list}[{at}]");
            let name = text(container, "/name");
            if name.is_empty() {
                errors.push(FieldError::required(format!("{field}.name"), ""));
            } else if let Some(error) = check_label(&format!("{field}.name"), name) {
                errors.push(error);
            } else if !names.insert(name) {
                errors.push(FieldError::duplicate(format!("{field}.name"), name));
            }
            if text(container, "/image").is_empty() {
                errors.push(FieldError::required(format!("{field}.image"), ""));
            }
            volumes::check_mounts(container, &field, &volumes, errors);
        }
    }
    let restart = text(pod, "/spec/restartPolicy");
    let policies = ["Always", "OnFailure", "Never"];
    if !policies.contains(&restart) {
        errors.push(FieldError::not_supported(
            format!("{path}.restartPolicy"),
            restart,
            &policies,
        ));
    }
    let grace = pod
        .pointer("/spec/terminationGracePeriodSeconds")
        .and_then(Value::as_i64);
    if let Some(grace) = grace.filter(|grace| *grace < 0) {
        errors.push(FieldError::invalid_value(
            format!("{path}.terminationGracePeriodSeconds"),
            grace,
            "must be greater than or equal to 0",
        ));
    }
}

/// What is wrong with a changed `spec`: a pod may change its images, its deadline and tolerations, nothing else
/// (`ValidatePodUpdate`).
pub(super) fn check_update(before: &Arc<Value>, after: &Value, errors: &mut Vec<FieldError>) {
    let mut allowed = after.clone();
    for field in ["activeDeadlineSeconds", "tolerations"] {
        carry(&mut allowed, before, &["spec", field]);
    }
    for list in ["initContainers", "containers"] {
        let old = items(before, &format!("/spec/{list}"));
        let Some(new) = allowed["spec"].get_mut(list).and_then(Value::as_array_mut) else {
            continue;
        };
        for (new, old) in new.iter_mut().zip(old) {
            carry(new, old, &["image"]);
        }
    }
    if allowed["spec"] != before["spec"] {
        errors.push(FieldError::forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        ));
    }
}
