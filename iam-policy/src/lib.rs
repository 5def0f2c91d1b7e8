#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod condition;
mod context;
mod decision;
mod error;
mod evaluate;
mod explain;
mod glob;
mod json;
mod literal;
mod matcher;
mod nearest;
mod network;
mod operator;
mod order;
mod pattern;
mod policy;
mod principal;
mod principal_element;
mod reading;
mod request;
mod rule;
mod segments;
mod statement;
mod trustee;
mod variable;

pub use context::Context;
pub use decision::{Consulted, Decision, Effect, Mismatch, NearMiss, PolicyType, Reason, StatementRef};
pub use error::{ErrorCode, EvaluateError, PolicyError};
pub use evaluate::{evaluate, explain};
pub use explain::{ExplainedPolicy, ExplainedStatement, Explanation};
pub use policy::{Policy, PolicyKind};
pub use principal::Principal;
pub use request::{Attached, Policies, Request};
pub use rule::Rule;
