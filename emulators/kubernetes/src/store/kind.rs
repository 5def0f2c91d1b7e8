use k8s_openapi::api::authentication::v1 as authentication;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Resource;

/// A type of objects that the server reads: one that it keeps, or one that it only answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Stored(Resource),
    TokenRequest,
    TokenReview,
    SelfSubjectReview,
}

// === impl Kind ===

impl Kind {
    /// The kinds that are answered and not kept.
    pub(crate) const ANSWERED: [Self; 3] = [Self::TokenRequest, Self::TokenReview, Self::SelfSubjectReview];

    /// The kind that an object of this name and version says it is.
    pub(crate) fn find(name: &str, api_version: &str) -> Option<Self> {
        Resource::ALL
            .into_iter()
            .map(Self::Stored)
            .chain(Self::ANSWERED)
            .find(|kind| kind.name() == name && kind.api_version() == api_version)
    }

    /// `kind` of its objects.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stored(resource) => resource.kind(),
            Self::TokenRequest => "TokenRequest",
            Self::TokenReview => "TokenReview",
            Self::SelfSubjectReview => "SelfSubjectReview",
        }
    }

    /// The API group, empty for the core.
    pub(crate) fn group(self) -> &'static str {
        match self {
            Self::Stored(resource) => resource.group(),
            Self::TokenRequest | Self::TokenReview | Self::SelfSubjectReview => "authentication.k8s.io",
        }
    }

    /// The version of its group, without the group.
    pub(crate) fn version(self) -> &'static str {
        "v1"
    }

    /// `apiVersion` of its objects.
    pub(crate) fn api_version(self) -> &'static str {
        match self {
            Self::Stored(resource) => resource.api_version(),
            Self::TokenRequest | Self::TokenReview | Self::SelfSubjectReview => "authentication.k8s.io/v1",
        }
    }

    /// Checks the types of an object's fields and drops the fields that its type does not have.
    pub(crate) fn decode(self, object: Value) -> Result<Value, serde_json::Error> {
        match self {
            Self::Stored(resource) => resource.decode(object),
            Self::TokenRequest => typed::<authentication::TokenRequest>(object),
            Self::TokenReview => typed::<authentication::TokenReview>(object),
            Self::SelfSubjectReview => typed::<authentication::SelfSubjectReview>(object),
        }
    }
}

impl From<Resource> for Kind {
    fn from(resource: Resource) -> Self {
        Self::Stored(resource)
    }
}

/// An object as its typed form writes it.
pub(super) fn typed<T: DeserializeOwned + Serialize>(object: Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(object)?)
}
