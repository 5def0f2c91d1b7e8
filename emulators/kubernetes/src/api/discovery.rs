//! What a client finds out before it asks for anything: health, version, groups and resources.

use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{
    ApiError,
    body::{self, Body},
    openapi,
};
use crate::{
    authentication::Issuer,
    store::{Kind, Resource},
};

/// The version of Kubernetes whose behaviour this server shows.
pub(crate) const VERSION: &str = "v1.36.3";

/// Answers a path that is no resource.
pub(super) fn answer(path: &str, request: &Request<Incoming>, issuer: &Issuer) -> Result<Response<Body>, ApiError> {
    let found = match path.trim_end_matches('/') {
        "/healthz" | "/livez" | "/readyz" => return Ok(body::text("ok")),
        "/version" => version(),
        "/openapi/v2" => return Ok(openapi::empty_v2(request.headers())),
        "/api" => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        }),
        "/api/v1" => resources("", "v1"),
        "/apis" => json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [apps(), authentication()]}),
        "/apis/apps" => {
            let mut group = json!({"kind": "APIGroup", "apiVersion": "v1"});
            merge(&mut group, apps());
            group
        }
        "/apis/apps/v1" => resources("apps", "apps/v1"),
        "/apis/authentication.k8s.io" => {
            let mut group = json!({"kind": "APIGroup", "apiVersion": "v1"});
            merge(&mut group, authentication());
            group
        }
        "/apis/authentication.k8s.io/v1" => reviews(),
        "/.well-known/openid-configuration" => {
            let document = issuer.discovery(server(request));
            return Ok(public("application/json", &document));
        }
        "/openid/v1/jwks" => return Ok(public("application/jwk-set+json", &issuer.keys())),
        "/openapi/v3" => openapi::index(),
        "/openapi/v3/api/v1" => openapi::document(""),
        "/openapi/v3/apis/apps/v1" => openapi::document("apps"),
        path => {
            let mut parts = path.trim_start_matches('/').split('/');
            return Err(match (parts.next(), parts.next()) {
                (Some("api"), _) => ApiError::unknown_path(),
                (Some("apis"), Some(group)) if !group.is_empty() => unknown(group),
                _ => ApiError::no_page(),
            });
        }
    };
    Ok(body::json(StatusCode::OK, &found))
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    })
}

/// What is said of a path of `group` (empty for the core) that is not there.
pub(super) fn unknown(group: &str) -> ApiError {
    let known = Kind::ANSWERED.into_iter().chain(Resource::ALL.map(Kind::Stored));
    match known.map(Kind::group).any(|known| known == group) {
        true => ApiError::unknown_path(),
        false => ApiError::no_page(),
    }
}

/// What anybody may keep for an hour.
fn public(media_type: &'static str, document: &Value) -> Response<Body> {
    let mut response = body::bytes(StatusCode::OK, media_type, document.to_string().into());
    let kept = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    response
}

/// The host and port that a request was sent to.
fn server(request: &Request<Incoming>) -> &str {
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let host = || request.headers().get(header::HOST)?.to_str().ok();
    authority.or_else(host).unwrap_or("kubernetes.default.svc")
}

/// The group of tokens and of who somebody is.
fn authentication() -> Value {
    let version = json!({"groupVersion": "authentication.k8s.io/v1", "version": "v1"});
    json!({"name": "authentication.k8s.io", "versions": [version], "preferredVersion": version})
}

fn reviews() -> Value {
    let review = |name: &str, kind: &str| {
        json!({
            "name": format!("{name}s"),
            "singularName": name,
            "namespaced": false,
            "kind": kind,
            "verbs": ["create"],
        })
    };
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": "authentication.k8s.io/v1",
        "resources": [
            review("selfsubjectreview", "SelfSubjectReview"),
            review("tokenreview", "TokenReview"),
        ],
    })
}

/// The group of workloads.
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
                "verbs": ["get", "patch", "update"],
            }));
        }
        if resource == Resource::ServiceAccounts {
            list.push(json!({
                "name": "serviceaccounts/token",
                "singularName": "",
                "namespaced": true,
                "group": "authentication.k8s.io",
                "version": "v1",
                "kind": "TokenRequest",
                "verbs": ["create"],
            }));
        }
    }
    json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": list})
}
