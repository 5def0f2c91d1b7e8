//! STS, query protocol of 2011-06-15.

mod assume_role;
mod caller_identity;
mod issue;
mod role_session;
mod rule;
mod session;
mod session_tags;
mod web_identity;

pub(crate) use assume_role::asked_role;
pub(crate) use issue::Issue;
pub(crate) use role_session::trust_policy;
pub(crate) use web_identity::{WEB_IDENTITY, issuer_to_ask};

use super::{Call, Done};
use crate::{answer::Refusal, identity::Identity};

/// Performs an operation, or says that there is none of this name.
pub(crate) fn perform(call: &mut Call<'_>, operation: &str) -> Option<Done> {
    let perform: fn(&mut Call<'_>) -> Done = match operation {
        "AssumeRole" => assume_role::assume_role,
        WEB_IDENTITY => web_identity::assume_role,
        "GetAccessKeyInfo" => session::access_key_info,
        "GetCallerIdentity" => caller_identity::get,
        "GetFederationToken" => session::federation_token,
        "GetSessionToken" => session::session_token,
        _ => return None,
    };
    Some(check_session(call, operation).and_then(|()| perform(call)))
}

/// The keys of GetSessionToken open AssumeRole and GetCallerIdentity alone in STS, those of GetFederationToken the latter
/// (IAM User Guide, "Compare AWS STS credentials").
fn check_session(call: &Call<'_>, operation: &str) -> Result<(), Refusal> {
    // It is not the key that counts there.
    if operation == WEB_IDENTITY {
        return Ok(());
    }
    let who = call.gate.who();
    let open = match (&who.identity, &who.session) {
        (_, None) | (Identity::Role(_) | Identity::Anonymous, _) => true,
        (Identity::Federated(_), _) => operation == "GetCallerIdentity",
        (Identity::Root | Identity::User(_), _) => ["AssumeRole", "GetCallerIdentity"].contains(&operation),
    };
    if open {
        Ok(())
    } else {
        let message = format!("Cannot call {operation} with session credentials");
        Err(Refusal::new(403, "AccessDenied", message))
    }
}
