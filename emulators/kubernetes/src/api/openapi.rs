//! As much OpenAPI as makes kubectl leave the checking of fields to the server: for each type, a `PATCH` that knows
//! `fieldValidation`. Schemas are not among it, so that `kubectl explain` has nothing to say. Version 2 is there without
//! any content: kubectl asks for it about types that version 3 does not have, before it says so.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header::ACCEPT};
use serde_json::{Map, Value, json};

use super::{
    VERSION,
    body::{self, Body},
};
use crate::store::Resource;

/// Where the documents are.
pub(super) fn index() -> Value {
    let at = |path: &str| json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={VERSION}")});
    json!({"paths": {"api/v1": at("api/v1"), "apis/apps/v1": at("apis/apps/v1")}})
}

/// A document of version 2 that describes nothing.
pub(super) fn empty_v2(headers: &HeaderMap) -> Response<Body> {
    /// `swagger: "2.0"`, the first field of `openapi.v2.Document`.
    const PROTOBUF: &[u8] = b"\x0a\x032.0";
    let binary = headers.get_all(ACCEPT).iter().any(|accept| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.starts_with("application/com.github.proto-openapi.spec.v2"))
    });
    if binary {
        let media_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
        return body::bytes(StatusCode::OK, media_type, Bytes::from_static(PROTOBUF));
    }
    let info = json!({"title": "Kubernetes", "version": VERSION});
    body::json(StatusCode::OK, &json!({"swagger": "2.0", "info": info, "paths": {}}))
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
