#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod condition;
mod context;
mod decision;
mod error;
mod evaluate;
mod json;
mod network;
mod order;
mod pattern;
mod policy;
mod principal;
mod principal_element;
mod reading;
mod request;
mod statement;

pub use context::Context;
pub use decision::{Decision, Effect, Mismatch, NearMiss, PolicyType, Reason, StatementRef};
pub use error::{ErrorCode, EvaluateError, PolicyError};
pub use evaluate::evaluate;
pub use policy::{Policy, PolicyKind};
pub use principal::Principal;
pub use request::{Attached, Policies, Request};
