//! The kinds of patch that a `PATCH` may carry.

mod json_patch;
mod merge;
mod strategic;

use serde_json::Value;

use super::ApiError;
use json_patch::Operation;

/// A patch as it was sent.
#[derive(Debug)]
pub(super) enum Patch {
    /// RFC 6902.
    Json(Vec<Operation>),
    /// RFC 7396.
    Merge(Value),
    /// Kubernetes' own merge, which knows the keys of lists.
    Strategic(Value),
}

// === impl Patch ===

impl Patch {
    pub(super) fn parse(media_type: &str, body: &[u8]) -> Result<Self, ApiError> {
        let refused = |error: serde_json::Error| ApiError::bad_request(format!("couldn't parse the patch: {error}"));
        match media_type {
            "application/json-patch+json" => serde_json::from_slice(body).map(Self::Json).map_err(refused),
            "application/merge-patch+json" => serde_json::from_slice(body).map(Self::Merge).map_err(refused),
            "application/strategic-merge-patch+json" => {
                serde_json::from_slice(body).map(Self::Strategic).map_err(refused)
            }
            _ => Err(ApiError::unsupported_media_type(
                "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json",
            )),
        }
    }

    /// What the patch makes of `current`.
    pub(super) fn apply(&self, current: &Value) -> Result<Value, ApiError> {
        let mut object = current.clone();
        match self {
            Self::Json(operations) => {
                json_patch::apply(&mut object, operations).map_err(ApiError::unprocessable)?;
            }
            Self::Merge(patch) => merge::apply(&mut object, patch),
            Self::Strategic(patch) => strategic::apply(&mut object, patch).map_err(ApiError::bad_request)?,
        }
        Ok(object)
    }
}
