//! What a client finds out before it asks for anything: health, version, groups and resources.

use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use super::{
    ApiError,
    body::{self, Body},
    openapi,
};
use crate::store::Resource;

/// The version of Kubernetes whose behaviour this server shows.
pub(crate) const VERSION: &str = "v1.33.1";

/// Answers a path that is no resource.
pub(super) fn answer(path: &str, headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
    let found = match path.trim_end_matches('/') {
        "/healthz" | "/livez" | "/readyz" => return Ok(body::text("ok")),
        "/version" => version(),
        "/openapi/v2" => return Ok(openapi::empty_v2(headers)),
        "/api" => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        }),
        "/api/v1" => resources("", "v1"),
        "/apis" => json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [apps()]}),
        "/apis/apps" => {
            let mut group = json!({"kind": "APIGroup", "apiVersion": "v1"});
            merge(&mut group, apps());
            group
        }
        "/apis/apps/v1" => resources("apps", "apps/v1"),
        "/openapi/v3" => openapi::index(),
        "/openapi/v3/api/v1" => openapi::document(""),
        "/openapi/v3/apis/apps/v1" => openapi::document("apps"),
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

/// The one group besides the core.
fn apps() -> Value {
    let version = json!({"groupVersion": "apps/v1", "version": "v1"});
    json!({"name": "apps", "versions": [version], "preferredVersion": version})
}

fn merge(into: &mut Value, fields: Value) {
    if let (Value::Object(into), Value::Object(fields)) = (into, fields) {
        into.extend(fields);
    }
}

fn resources(group: &str, group_version: &str) -> Value {
    let mut list = Vec::new();
    for resource in Resource::ALL.into_iter().filter(|resource| resource.group() == group) {
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
            "categories": resource.categories(),
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
    json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": list})
}
