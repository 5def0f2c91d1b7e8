//! `ListOptions` and `DeleteOptions`, as a request carries them.

use serde_json::{Value, json};

use super::{ApiError, body, query::Query};
use crate::{
    registry::DeleteOptions,
    store::{FieldSelector, Key, LabelSelector, Resource, Selection, object::text},
};

/// What a list or a watch is to look at.
pub(super) fn selection(
    resource: Resource,
    namespace: Option<String>,
    one: Option<&Key>,
    query: &Query,
) -> Result<Selection, ApiError> {
    let (labels, fields) = (query.text("labelSelector"), query.text("fieldSelector"));
    let refused = |problem: String| {
        ApiError::bad_request(format!(
            "Unable to find \"/v1, Resource={}\" that match label selector \"{labels}\", field selector \"{fields}\": {problem}",
            resource.plural()
        ))
    };
    let mut selected = FieldSelector::parse(fields, resource).map_err(refused)?;
    if let Some(key) = one {
        selected = selected.and(FieldSelector::name(&key.name));
    }
    Ok(Selection {
        resource,
        namespace,
        labels: LabelSelector::parse(labels).map_err(refused)?,
        fields: selected,
    })
}

/// How to delete: from the body, or from the query if there is none.
pub(super) fn delete(media_type: &str, sent: &[u8], query: &Query) -> Result<DeleteOptions, ApiError> {
    let mut options = DeleteOptions {
        grace_period_seconds: query.number("gracePeriodSeconds")?,
        ..DeleteOptions::default()
    };
    if sent.is_empty() {
        return Ok(options);
    }
    let body = body::decode(media_type, sent)?;
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
    let precondition = |field: &str| {
        let value = text(&body, &format!("/preconditions/{field}"));
        (!value.is_empty()).then(|| value.to_owned())
    };
    options.uid = precondition("uid");
    options.resource_version = precondition("resourceVersion");
    Ok(options)
}

/// The answer to a deletion that is over, for the types whose last state is not shown.
pub(super) fn deleted(resource: Resource, last: &Value) -> Value {
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {
            "name": text(last, "/metadata/name"),
            "kind": resource.plural(),
            "uid": text(last, "/metadata/uid"),
        },
    })
}
