//! `ListOptions` and `DeleteOptions`, as a request carries them.

use serde_json::{Value, json};

use super::{ApiError, FieldError, body, query::Query};
use crate::{
    registry::{DeleteOptions, Propagation},
    store::{
        FieldSelector, Key, LabelSelector, Resource, Selection,
        object::{has, text},
    },
};

/// What a list or a watch is to look at; `hidden` says whether the one who asks sees what is hidden.
pub(super) fn selection(
    resource: Resource,
    namespace: Option<String>,
    one: Option<&Key>,
    query: &Query,
    hidden: bool,
) -> Result<Selection, ApiError> {
    let (labels, fields) = (query.text("labelSelector"), query.text("fieldSelector"));
    let mut selected = FieldSelector::parse(fields, resource).map_err(ApiError::bad_request)?;
    if let Some(key) = one {
        selected = selected.and(FieldSelector::name(&key.name));
    }
    Ok(Selection {
        resource,
        namespace,
        labels: LabelSelector::parse(labels).map_err(ApiError::bad_request)?,
        fields: selected,
        hidden,
    })
}

/// How to delete: from the body, or from the query if there is none.
pub(super) fn delete(media_type: &str, sent: &[u8], query: &Query) -> Result<DeleteOptions, ApiError> {
    let mut options = DeleteOptions {
        grace_period_seconds: query.number("gracePeriodSeconds")?,
        propagation: propagation(query.text("propagationPolicy"), query.flag("orphanDependents"))?,
        ..DeleteOptions::default()
    };
    if sent.is_empty() {
        return Ok(options);
    }
    let body = body::decode("DeleteOptions", media_type, sent)?;
    if body
        .get("dryRun")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
    {
        return Err(ApiError::bad_request(
            "dryRun is not supported by this server; leave it out",
        ));
    }
    match body.get("gracePeriodSeconds") {
        None | Some(Value::Null) => {}
        Some(seconds) => {
            let seconds = seconds
                .as_i64()
                .ok_or_else(|| ApiError::bad_request("gracePeriodSeconds must be a whole number"))?;
            options.grace_period_seconds = Some(seconds);
        }
    }
    if has(&body, "/propagationPolicy") || has(&body, "/orphanDependents") {
        let orphan = body["orphanDependents"].as_bool().unwrap_or(false);
        options.propagation = propagation(text(&body, "/propagationPolicy"), orphan)?;
    }
    let precondition = |field: &str| {
        let value = text(&body, &format!("/preconditions/{field}"));
        (!value.is_empty()).then(|| value.to_owned())
    };
    options.uid = precondition("uid");
    options.resource_version = precondition("resourceVersion");
    Ok(options)
}

/// `propagationPolicy`, and `orphanDependents`, which is its older form.
fn propagation(policy: &str, orphan: bool) -> Result<Propagation, ApiError> {
    match policy {
        "" if orphan => Ok(Propagation::Orphan),
        "" | "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        "Orphan" => Ok(Propagation::Orphan),
        other => {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            let error = FieldError::not_supported("propagationPolicy", other, &known);
            Err(ApiError::invalid_options("DeleteOptions", &error))
        }
    }
}

/// The answer to a deletion that is over, for the types whose last state is not shown.
pub(super) fn deleted(resource: Resource, last: &Value) -> Value {
    let mut status = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {
            "name": text(last, "/metadata/name"),
            "kind": resource.plural(),
            "uid": text(last, "/metadata/uid"),
        },
    });
    if !resource.group().is_empty() {
        status["details"]["group"] = resource.group().into();
    }
    status
}
