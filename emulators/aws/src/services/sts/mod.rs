//! STS, query protocol of 2011-06-15.

mod assume_role;
mod caller_identity;

pub(crate) use assume_role::{asked_role, issue, trust_policy};

use super::{Call, Done};

/// Performs an operation, or says that there is none of this name.
pub(crate) fn perform(call: &mut Call<'_>, operation: &str) -> Option<Done> {
    Some(match operation {
        "AssumeRole" => assume_role::assume_role(call),
        "GetCallerIdentity" => caller_identity::get(call),
        _ => return None,
    })
}
