use std::borrow::Cow;

use crate::service::Service;

/// An error of a service before it has that service's form: HTTP status, AWS error code, message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    /// Further elements of an S3 error, in order.
    pub(crate) details: Vec<(&'static str, String)>,
}

// === impl Refusal ===

impl Refusal {
    pub(crate) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// Adds an element to an S3 error.
    pub(crate) fn detail(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.details.push((name, text.into()));
        self
    }

    /// A parameter of a query service has a wrong value.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    /// Our own failure: never mistaken for a denial, never an approval.
    pub(crate) fn internal(service: &Service, message: impl Into<String>) -> Self {
        let code = if *service == Service::S3 {
            "InternalError"
        } else {
            "InternalFailure"
        };
        Self::new(500, code, message)
    }

    /// IAM: what was named does not exist.
    pub(crate) fn no_such_entity(message: impl Into<String>) -> Self {
        Self::new(404, "NoSuchEntity", message)
    }

    /// IAM: it exists already.
    pub(crate) fn exists(message: impl Into<String>) -> Self {
        Self::new(409, "EntityAlreadyExists", message)
    }

    /// IAM: it cannot be deleted while something hangs on it.
    pub(crate) fn delete_conflict(message: impl Into<String>) -> Self {
        Self::new(409, "DeleteConflict", message)
    }
}
