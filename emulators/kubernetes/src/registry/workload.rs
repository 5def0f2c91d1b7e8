//! The rules of the objects of `apps/v1` (`pkg/apis/apps/validation`).

use serde_json::{Value, json};

use super::{metadata, pod};
use crate::{
    api::FieldError,
    store::{
        LabelSelector, Resource,
        object::{has, items, set, set_default, text, unset},
    },
};

/// What the server fills in where a workload is silent.
pub(super) fn set_defaults(resource: Resource, workload: &mut Value) {
    set_default(workload, &["spec", "revisionHistoryLimit"], 10);
    if resource == Resource::DaemonSets {
        set_default(workload, &["spec", "updateStrategy", "type"], "RollingUpdate");
        if text(workload, "/spec/updateStrategy/type") == "RollingUpdate" {
            let rolling = |field| ["spec", "updateStrategy", "rollingUpdate", field];
            set_default(workload, &rolling("maxUnavailable"), 1);
            set_default(workload, &rolling("maxSurge"), 0);
        }
    } else {
        set_default(workload, &["spec", "replicas"], 1);
        set_default(workload, &["spec", "progressDeadlineSeconds"], 600);
        set_default(workload, &["spec", "strategy", "type"], "RollingUpdate");
        if text(workload, "/spec/strategy/type") == "RollingUpdate" {
            let rolling = |field| ["spec", "strategy", "rollingUpdate", field];
            set_default(workload, &rolling("maxUnavailable"), "25%");
            set_default(workload, &rolling("maxSurge"), "25%");
        }
    }
    let Some(template) = workload.pointer_mut("/spec/template") else {
        return;
    };
    // Of a template the old name of the account is filled in, but no account: that is done when a pod is admitted.
    if !text(template, "/spec/serviceAccountName").is_empty() {
        let account = text(template, "/spec/serviceAccountName").to_owned();
        set(template, &["spec", "serviceAccount"], account);
    }
    unset(template, &["metadata", "creationTimestamp"]);
    pod::set_spec_defaults(template);
}

/// The `status` before a controller has looked at it: its numbers that are no options.
pub(super) fn initial_status(resource: Resource) -> Value {
    match resource {
        Resource::DaemonSets => json!({
            "currentNumberScheduled": 0,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 0,
            "numberReady": 0,
        }),
        _ => json!({}),
    }
}

/// What is wrong with the `spec` of a workload.
pub(super) fn check(resource: Resource, workload: &Value, errors: &mut Vec<FieldError>) {
    let template = &workload["spec"]["template"];
    let before = errors.len();
    check_selector(resource, workload, errors);
    // A selector that cannot be read is compared with nothing; an absent one is.
    let readable = errors.len() == before || !has(workload, "/spec/selector");
    let selector = &workload["spec"]["selector"];
    let empty = has(workload, "/spec/selector") && LabelSelector::from_object(selector).is_empty();
    if empty {
        errors.push(FieldError::invalid_value(
            "spec.selector",
            selector,
            &format!("empty selector is invalid for {}", resource.singular()),
        ));
    }
    // An absent selector matches nothing, an empty one everything.
    let matches = has(workload, "/spec/selector") && LabelSelector::from_object(selector).matches(template);
    if readable && !matches {
        errors.push(FieldError::invalid_value(
            "spec.template.metadata.labels",
            &template["metadata"]["labels"],
            "`selector` does not match template `labels`",
        ));
    }
    metadata::check_labels(template, "spec.template", errors);
    pod::check(template, "spec.template.spec", errors);
    let restart = text(template, "/spec/restartPolicy");
    if ["OnFailure", "Never"].contains(&restart) {
        let field = "spec.template.spec.restartPolicy";
        errors.push(FieldError::not_supported(field, restart, &["Always"]));
    }
    if has(template, "/spec/activeDeadlineSeconds") {
        let owner = if resource == Resource::DaemonSets {
            "DaemonSet"
        } else {
            "ReplicaSet"
        };
        errors.push(FieldError::forbidden(
            "spec.template.spec.activeDeadlineSeconds",
            &format!("activeDeadlineSeconds in {owner} is not Supported"),
        ));
    }
    for field in ["replicas", "minReadySeconds", "revisionHistoryLimit"] {
        let number = workload["spec"].get(field).and_then(Value::as_i64);
        if let Some(number) = number.filter(|number| *number < 0) {
            errors.push(FieldError::invalid_value(
                format!("spec.{field}"),
                number,
                "must be greater than or equal to 0",
            ));
        }
    }
    let (field, strategies) = match resource {
        Resource::DaemonSets => ("updateStrategy", ["OnDelete", "RollingUpdate"]),
        _ => ("strategy", ["Recreate", "RollingUpdate"]),
    };
    let strategy = text(&workload["spec"][field], "/type");
    if !strategies.contains(&strategy) {
        let field = format!("spec.{field}.type");
        errors.push(FieldError::not_supported(field, strategy, &strategies));
    }
}

fn check_selector(resource: Resource, workload: &Value, errors: &mut Vec<FieldError>) {
    // Of a DaemonSet the server does not say that the selector is required, only that it does not match.
    if resource == Resource::Deployments && !has(workload, "/spec/selector") {
        errors.push(FieldError::required("spec.selector", ""));
    }
    let (pointer, path) = ("/spec/selector/matchLabels", "spec.selector.matchLabels");
    metadata::check_label_map(workload, pointer, path, errors);
    for (at, expression) in items(workload, "/spec/selector/matchExpressions").iter().enumerate() {
        let field = format!("spec.selector.matchExpressions[{at}]");
        let values = items(expression, "/values");
        match text(expression, "/operator") {
            "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(
                format!("{field}.values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            )),
            "Exists" | "DoesNotExist" if !values.is_empty() => errors.push(FieldError::forbidden(
                format!("{field}.values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => errors.push(FieldError::invalid(
                format!("{field}.operator"),
                other,
                "not a valid selector operator",
            )),
        }
        errors.extend(metadata::check_label_key(
            &format!("{field}.key"),
            text(expression, "/key"),
        ));
    }
}

/// What is wrong with a change: the selector may not change.
pub(super) fn check_update(before: &Value, after: &Value, errors: &mut Vec<FieldError>) {
    if before["spec"]["selector"] != after["spec"]["selector"] {
        let selector = &after["spec"]["selector"];
        errors.push(FieldError::invalid_value(
            "spec.selector",
            selector,
            "field is immutable",
        ));
    }
}

/// Raises `metadata.generation` if `spec` has changed.
pub(super) fn count_generation(before: &Value, after: &mut Value) {
    if before["spec"] != after["spec"] {
        let generation = before["metadata"]["generation"].as_i64().unwrap_or(0);
        set(after, &["metadata", "generation"], generation.saturating_add(1));
    }
}
