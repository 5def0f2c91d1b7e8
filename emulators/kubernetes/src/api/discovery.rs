//! What a client finds out before it asks for anything: health, version, groups and resources.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    ApiError,
    body::{self, Body},
};
use crate::store::Resource;

/// The version of Kubernetes whose behaviour this server shows.
pub(crate) const VERSION: &str = "v1.33.1";

/// Answers a path that is no resource.
pub(super) fn answer(path: &str) -> Result<Response<Body>, ApiError> {
    let found = match path.trim_end_matches('/') {
        "/healthz" | "/livez" | "/readyz" => return Ok(body::text("ok")),
        "/version" => version(),
        "/api" => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        }),
        "/api/v1" => resources(),
        "/apis" => json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []}),
        _ => return Err(ApiError::unknown_path()),
    };
    Ok(body::json(StatusCode::OK, &found))
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": "33",
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    })
}

fn resources() -> Value {
    let mut list = Vec::new();
    for resource in Resource::ALL {
        let mut verbs = vec!["create", "delete", "get", "list", "patch", "update", "watch"];
        if resource.is_namespaced() {
            verbs.insert(2, "deletecollection");
        }
        list.push(json!({
            "name": resource.plural(),
            "singularName": resource.singular(),
            "namespaced": resource.is_namespaced(),
            "kind": resource.kind(),
            "verbs": verbs,
            "shortNames": resource.short_names(),
        }));
        if resource.has_status() {
            list.push(json!({
                "name": format!("{}/status", resource.plural()),
                "singularName": "",
                "namespaced": resource.is_namespaced(),
                "kind": resource.kind(),
                "verbs": ["patch", "update"],
            }));
        }
    }
    json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": list})
}
