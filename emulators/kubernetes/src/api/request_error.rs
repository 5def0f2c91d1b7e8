//! Refusals that are about a request and not about an object.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::json;

use super::{ApiError, FieldError, ResourcePath, Verb};

// === impl ApiError ===

impl ApiError {
    /// An option of the request that is wrong, or contradicts another; `kind` is the one that the server names, such
    /// as `ListOptions`.
    pub(crate) fn invalid_options(kind: &str, error: &FieldError) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!("{kind}.meta.k8s.io \"\" is invalid: {}: {}", error.field, error.message),
        )
        .because(json!([{"reason": error.reason, "message": error.message, "field": error.field}]))
    }

    /// A patch whose result has what its type has not. The server names no object here.
    pub(crate) fn strict_patch(error: &FieldError) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!(" \"\" is invalid: {}: {}", error.field, error.message),
        )
        .because(json!([{"reason": error.reason, "message": error.message, "field": error.field}]))
    }

    /// A fault that was asked for; `reason` as the server has it for the status, unless another is given.
    pub(crate) fn injected(code: StatusCode, reason: Option<String>) -> Self {
        let usual = match code.as_u16() {
            400 => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            410 => "Expired",
            429 => "TooManyRequests",
            500 => "InternalError",
            503 => "ServiceUnavailable",
            504 => "Timeout",
            _ => "",
        };
        let reason = reason.map_or(Cow::Borrowed(usual), Cow::Owned);
        Self::new(code, reason, "this fault was injected by the scenario")
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

    /// The server itself failed.
    pub(crate) fn internal(doing: &str) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("Internal error occurred: {doing}"),
        )
    }

    /// A secret, of which this server keeps none.
    pub(crate) fn no_secret(name: &str) -> Self {
        let message = format!("secrets {name:?} not found");
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).of("secrets", name)
    }

    /// A token that was to be bound to an object that is another one by now.
    pub(crate) fn bound_to_another(kind: &str, name: &str, uid: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {kind} {name:?}: the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        Self::new(StatusCode::CONFLICT, "Conflict", message).of(kind, name)
    }
}
