use std::borrow::Cow;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    FieldError,
    body::{self, Body},
};
use crate::store::{Kind, Resource};

/// A refusal in the words of the API server, answered as a `Status` (`k8s.io/apimachinery/pkg/api/errors`).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    code: StatusCode,
    /// `metav1.StatusReason`; empty where the server knows none.
    reason: Cow<'static, str>,
    message: Box<str>,
    pub(super) details: Value,
    /// Said in plain text, because no API group is there to say it.
    plain: bool,
}

// === impl ApiError ===

impl ApiError {
    pub(super) fn new(code: StatusCode, reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            message: message.into().into_boxed_str(),
            details: Value::Null,
            plain: false,
        }
    }

    /// A path of no API group: the words of Go's own web server.
    pub(crate) fn no_page() -> Self {
        Self {
            plain: true,
            ..Self::new(StatusCode::NOT_FOUND, "NotFound", "404 page not found")
        }
    }

    /// The answer.
    pub(super) fn to_response(&self) -> Response<Body> {
        if self.plain {
            return body::bytes(
                self.code,
                "text/plain; charset=utf-8",
                format!("{}\n", self.message).into(),
            );
        }
        body::json(self.code, &self.to_status())
    }

    pub(super) fn of(mut self, kind: &str, name: &str) -> Self {
        self.details = json!({"kind": kind});
        if !name.is_empty() {
            self.details = json!({"name": name, "kind": kind});
        }
        self
    }

    /// As `of`, for a type that is kept; `word` is its plural or its kind.
    fn about(self, resource: Resource, word: &str, name: &str) -> Self {
        self.of(word, name).in_group(resource.group())
    }

    fn in_group(mut self, group: &str) -> Self {
        if !group.is_empty() {
            self.details["group"] = group.into();
        }
        self
    }

    pub(super) fn because(mut self, causes: Value) -> Self {
        if !self.details.is_object() {
            self.details = json!({});
        }
        self.details["causes"] = causes;
        self
    }

    pub(crate) fn code(&self) -> StatusCode {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
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
            status["reason"] = self.reason.as_ref().into();
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

    /// A path that is no resource of this server.
    pub(crate) fn unknown_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            "the server could not find the requested resource",
        )
        .because_nothing()
    }

    pub(super) fn because_nothing(mut self) -> Self {
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
        let plural = resource.qualified(resource.plural());
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            format!("{plural} \"{name}\" not found"),
        )
        .about(resource, resource.plural(), name)
    }

    pub(crate) fn already_exists(resource: Resource, name: &str) -> Self {
        let plural = resource.qualified(resource.plural());
        Self::new(
            StatusCode::CONFLICT,
            "AlreadyExists",
            format!("{plural} \"{name}\" already exists"),
        )
        .about(resource, resource.plural(), name)
    }

    pub(crate) fn conflict(resource: Resource, name: &str, why: &str) -> Self {
        let plural = resource.qualified(resource.plural());
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!("Operation cannot be fulfilled on {plural} \"{name}\": {why}"),
        )
        .about(resource, resource.plural(), name)
    }

    /// An update that names a version which is not the current one.
    pub(crate) fn stale(resource: Resource, name: &str) -> Self {
        Self::conflict(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub(crate) fn invalid(kind: impl Into<Kind>, name: &str, errors: &[FieldError]) -> Self {
        let kind = kind.into();
        let qualified = match kind.group() {
            "" => kind.name().to_owned(),
            group => format!("{}.{group}", kind.name()),
        };
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
            format!("{qualified} \"{name}\" is invalid: {text}"),
        )
        .of(kind.name(), name)
        .in_group(kind.group())
        .because(causes)
    }

    pub(crate) fn forbidden(resource: Resource, name: &str, why: &str) -> Self {
        let plural = resource.qualified(resource.plural());
        Self::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            format!("{plural} \"{name}\" is forbidden: {why}"),
        )
        .about(resource, resource.plural(), name)
    }

    /// Creation in a namespace that is being deleted.
    pub(crate) fn namespace_terminating(resource: Resource, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let message = format!("namespace {namespace} is being terminated");
        Self::forbidden(resource, name, &why).because(json!([
            {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
        ]))
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
            format!("Timeout: Too large resource version: {asked}, current: {current}"),
        )
        .because(json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]));
        error.details["retryAfterSeconds"] = 1.into();
        error
    }
}
