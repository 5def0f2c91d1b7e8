use http::StatusCode;
use serde_json::{Value, json};

use super::{FieldError, ResourcePath, Verb};
use crate::store::Resource;

/// A refusal in the words of the API server, answered as a `Status` (`k8s.io/apimachinery/pkg/api/errors`).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    code: StatusCode,
    /// `metav1.StatusReason`; empty where the server knows none.
    reason: &'static str,
    message: String,
    details: Value,
}

// === impl ApiError ===

impl ApiError {
    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Value::Null,
        }
    }

    fn of(mut self, kind: &str, name: &str) -> Self {
        self.details = json!({"kind": kind});
        if !name.is_empty() {
            self.details = json!({"name": name, "kind": kind});
        }
        self
    }

    fn because(mut self, causes: Value) -> Self {
        if !self.details.is_object() {
            self.details = json!({});
        }
        self.details["causes"] = causes;
        self
    }

    pub(crate) fn code(&self) -> StatusCode {
        self.code
    }

    /// The `Status` object of the answer.
    pub(crate) fn to_status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status["code"] = self.code.as_u16().into();
        status
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// A patch that is well formed and does not apply.
    pub(crate) fn unprocessable(message: String) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
    }

    pub(crate) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            "Request entity too large: limit is 3145728",
        )
    }

    pub(crate) fn unsupported_media_type(accepted: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}"),
        )
    }

    /// A path that is no resource of this server.
    pub(crate) fn unknown_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            "the server could not find the requested resource",
        )
        .because_nothing()
    }

    fn because_nothing(mut self) -> Self {
        self.details = json!({});
        self
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
        .because_nothing()
    }

    pub(crate) fn not_found(resource: Resource, name: &str) -> Self {
        let plural = resource.plural();
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            format!("{plural} \"{name}\" not found"),
        )
        .of(plural, name)
    }

    pub(crate) fn already_exists(resource: Resource, name: &str) -> Self {
        let plural = resource.plural();
        Self::new(
            StatusCode::CONFLICT,
            "AlreadyExists",
            format!("{plural} \"{name}\" already exists"),
        )
        .of(plural, name)
    }

    pub(crate) fn conflict(resource: Resource, name: &str, why: &str) -> Self {
        let plural = resource.plural();
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!("Operation cannot be fulfilled on {plural} \"{name}\": {why}"),
        )
        .of(plural, name)
    }

    /// An update that names a version which is not the current one.
    pub(crate) fn stale(resource: Resource, name: &str) -> Self {
        Self::conflict(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub(crate) fn invalid(resource: Resource, name: &str, errors: &[FieldError]) -> Self {
        let kind = resource.kind();
        let mut texts: Vec<String> = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.message))
            .collect();
        let text = match texts.len() {
            1 => texts.remove(0),
            _ => format!("[{}]", texts.join(", ")),
        };
        let causes = errors
            .iter()
            .map(|e| json!({"reason": e.reason, "message": e.message, "field": e.field}))
            .collect();
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!("{kind} \"{name}\" is invalid: {text}"),
        )
        .of(kind, name)
        .because(causes)
    }

    /// A query parameter that contradicts another (`ListOptions` is the kind that the server names).
    pub(crate) fn invalid_options(error: &FieldError) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!(
                "ListOptions.meta.k8s.io \"\" is invalid: {}: {}",
                error.field, error.message
            ),
        )
        .because(json!([{"reason": error.reason, "message": error.message, "field": error.field}]))
    }

    pub(crate) fn forbidden(resource: Resource, name: &str, why: &str) -> Self {
        let plural = resource.plural();
        Self::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            format!("{plural} \"{name}\" is forbidden: {why}"),
        )
        .of(plural, name)
    }

    /// Creation in a namespace that is being deleted.
    pub(crate) fn namespace_terminating(resource: Resource, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let message = format!("namespace {namespace} is being terminated");
        Self::forbidden(resource, name, &why).because(json!([
            {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
        ]))
    }

    /// What the authorizer answers about a resource (`responsewriters.ForbiddenStatusError`).
    pub(crate) fn forbidden_to(user: &str, verb: Verb, path: &ResourcePath) -> Self {
        let mut kind = path.resource.clone();
        if !path.group.is_empty() {
            kind = format!("{kind}.{}", path.group);
        }
        let subject = match &path.name {
            Some(name) => format!("{kind} \"{name}\""),
            None => kind,
        };
        let mut resource = path.resource.clone();
        if let Some(subresource) = &path.subresource {
            resource = format!("{resource}/{subresource}");
        }
        let scope = match &path.namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let mut error = Self::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            format!(
                "{subject} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{}\" {scope}",
                path.group
            ),
        )
        .of(&path.resource, path.name.as_deref().unwrap_or_default());
        if !path.group.is_empty() {
            error.details["group"] = path.group.clone().into();
        }
        error
    }

    /// What the authorizer answers about a path that is no resource.
    pub(crate) fn forbidden_path(user: &str, verb: Verb, path: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\""),
        )
        .because_nothing()
    }

    /// A watch from a version that the history has forgotten.
    pub(crate) fn too_old(asked: u64, oldest: u64) -> Self {
        Self::new(
            StatusCode::GONE,
            "Expired",
            format!("too old resource version: {asked} ({oldest})"),
        )
    }

    /// A list of a version, or a next page, that the history has forgotten.
    pub(crate) fn expired(message: &str) -> Self {
        Self::new(StatusCode::GONE, "Expired", message)
    }

    /// A version that has not been reached yet.
    pub(crate) fn too_new(asked: u64, current: u64) -> Self {
        let mut error = Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "Timeout",
            format!("Too large resource version: {asked}, current: {current}"),
        )
        .because(json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]));
        error.details["retryAfterSeconds"] = 1.into();
        error
    }
}
