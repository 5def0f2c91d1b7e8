//! Tables, the form in which kubectl asks for what it prints (`pkg/printers/internalversion/printers.go`).

mod age;
mod columns;
mod pod;
mod workload;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{accept::Include, answer::named};
use crate::store::Resource;

/// The table of `objects`; `metadata` is that of the list.
pub(super) fn of<'a>(
    resource: Resource,
    objects: impl IntoIterator<Item = &'a Value>,
    metadata: Value,
    include: Include,
    now: Timestamp,
) -> Value {
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| {
            let mut row = json!({"cells": columns::cells(resource, object, now)});
            match include {
                Include::None => row["object"] = Value::Null,
                Include::Object => row["object"] = named(resource, object),
                Include::Metadata => {
                    row["object"] = json!({
                        "kind": "PartialObjectMetadata",
                        "apiVersion": "meta.k8s.io/v1",
                        "metadata": object["metadata"],
                    });
                }
            }
            row
        })
        .collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns::definitions(resource),
        "rows": rows,
    })
}
