//! The HTTP side of the API server: who asks, what for, and the answer in Kubernetes' own words.

mod accept;
mod answer;
mod authentication;
mod body;
mod discovery;
mod error;
mod field_error;
mod list;
mod openapi;
mod options;
mod patch;
mod path;
mod query;
mod request_error;
mod table;
mod unknown_fields;
mod watch;

pub(crate) use answer::Api;
pub(crate) use discovery::VERSION;
pub(crate) use error::ApiError;
pub(crate) use field_error::FieldError;
pub(crate) use path::{ResourcePath, Target, Verb};
