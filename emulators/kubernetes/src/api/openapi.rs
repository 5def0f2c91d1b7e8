//! As much OpenAPI as makes kubectl leave the checking of fields to the server: for each type, a `PATCH` that knows
//! `fieldValidation`. Schemas are not among it, so that `kubectl explain` has nothing to say.

use serde_json::{Map, Value, json};

use super::VERSION;
use crate::store::Resource;

/// Where the documents are.
pub(super) fn index() -> Value {
    let at = |path: &str| json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={VERSION}")});
    json!({"paths": {"api/v1": at("api/v1"), "apis/apps/v1": at("apis/apps/v1")}})
}

/// The document of one API group.
pub(super) fn document(group: &str) -> Value {
    let mut paths = Map::new();
    for resource in Resource::ALL.into_iter().filter(|resource| resource.group() == group) {
        let root = match group {
            "" => "/api/v1".to_owned(),
            group => format!("/apis/{group}/{}", resource.version()),
        };
        let namespace = if resource.is_namespaced() {
            "/namespaces/{namespace}"
        } else {
            ""
        };
        let path = format!("{root}{namespace}/{}/{{name}}", resource.plural());
        let patch = json!({
            "operationId": format!("patch{}", resource.kind()),
            "parameters": [{
                "name": "fieldValidation",
                "in": "query",
                "description": "Ignore, Warn or Strict: what an unknown field leads to",
                "schema": {"type": "string"},
            }],
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": {
                "group": group,
                "kind": resource.kind(),
                "version": resource.version(),
            },
        });
        paths.insert(path, json!({"patch": patch}));
    }
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": paths,
        "components": {"schemas": {}},
    })
}
