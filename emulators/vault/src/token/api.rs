//! `auth/token/`: looked up, renewed and ended.

use jiff::SignedDuration;

use super::create;
use crate::{
    core::Core,
    lease::{Ask, grant},
    mount::SYSTEM_TTL,
    reply::{Done, Refusal, Reply, several},
    request::{Operation, Request},
    route::Caller,
};

/// Answers below `auth/token/`.
pub(crate) fn handle(core: &Core, request: &Request, path: &str, caller: &Caller) -> Done {
    use Operation::{List, Read, Write};
    match (path, request.operation) {
        ("create" | "create-orphan", Write) => create::create(core, request, caller, path == "create-orphan"),
        ("lookup-self", Read | Write) => lookup(core, &caller.token, caller),
        ("lookup", Read | Write) => lookup(core, &asked(request, caller, true)?, caller),
        ("lookup-accessor", Write) => {
            let token = by_accessor(core, request)?;
            let state = core.state();
            let found = state.live_token(&token, core.now()).ok_or_else(invalid_accessor)?;
            Ok(Reply::data(found.shown("", core.now())))
        }
        ("renew-self", Write) => renew(core, &caller.token, increment(request)?),
        ("renew", Write) => renew(core, &asked(request, caller, true)?, increment(request)?),
        ("renew-accessor", Write) => renew(core, &by_accessor(core, request)?, increment(request)?),
        ("revoke-self", Write) => Ok(revoke(core, &caller.token)),
        ("revoke", Write) => Ok(revoke(core, &asked(request, caller, false)?)),
        ("revoke-accessor", Write) => match by_accessor(core, request) {
            Ok(token) => Ok(revoke(core, &token)),
            Err(refusal) if request.fields().has("accessor") && refusal == invalid_accessor() => {
                Ok(Reply::none().warn("No token found with this accessor"))
            }
            Err(refusal) => Err(refusal),
        },
        ("revoke-orphan", Write) => {
            let token = asked(request, caller, false)?;
            let now = core.now();
            if core.state().tokens.get(&token).is_none() {
                return Err(Refusal::bad("token to revoke not found"));
            }
            core.state().end_token_alone(&token, now);
            core.wake.notify_one();
            Ok(Reply::none())
        }
        ("accessors", List) => Reply::keys(core.state().tokens.accessors()),
        ("tidy", Write) => Ok(Reply::none()
            .warn(
                "Tidy operation successfully started. Any information from the operation will be printed to Vault's \
                 server logs.",
            )
            .status(http::StatusCode::ACCEPTED)),
        (
            "create" | "create-orphan" | "lookup-self" | "lookup" | "lookup-accessor" | "renew-self" | "renew"
            | "renew-accessor" | "revoke-self" | "revoke" | "revoke-accessor" | "revoke-orphan" | "accessors" | "tidy",
            _,
        ) => Err(Refusal::unsupported_operation()),
        _ => Err(Refusal::unsupported_path()),
    }
}

/// The token that a request is about; the caller's own if it names none and may.
fn asked(request: &Request, caller: &Caller, or_own: bool) -> Result<String, Refusal> {
    match request.fields().text("token")?.filter(|token| !token.is_empty()) {
        Some(token) => Ok(token),
        None if or_own => Ok(caller.token.clone()),
        None => Err(Refusal::bad("missing token ID")),
    }
}

fn by_accessor(core: &Core, request: &Request) -> Result<String, Refusal> {
    let accessor = request
        .fields()
        .text("accessor")?
        .filter(|accessor| !accessor.is_empty());
    let accessor = accessor.ok_or_else(|| Refusal::bad("missing accessor"))?;
    let state = core.state();
    state
        .tokens
        .by_accessor(&accessor)
        .map(str::to_owned)
        .ok_or_else(invalid_accessor)
}

fn invalid_accessor() -> Refusal {
    Refusal::bad(several(&["invalid accessor"]))
}

fn increment(request: &Request) -> Result<SignedDuration, Refusal> {
    Ok(request.fields().duration("increment")?.unwrap_or_default())
}

fn lookup(core: &Core, token: &str, caller: &Caller) -> Done {
    let now = core.now();
    let state = core.state();
    // One that is used for the last time may still look at itself.
    let found = state
        .tokens
        .get(token)
        .filter(|entry| entry.lives(now) || token == caller.token);
    let found = found.ok_or_else(|| Refusal::forbidden("bad token"))?;
    Ok(Reply::data(found.shown(token, now)))
}

/// Lets a token live longer, as far as its limits go.
///
/// # Errors
/// There is no such token, or it cannot be renewed.
fn renew(core: &Core, token: &str, increment: SignedDuration) -> Done {
    let now = core.now();
    let mut state = core.state();
    let entry = state
        .live_token(token, now)
        .ok_or_else(|| Refusal::bad("token not found"))?;
    if !entry.renewable {
        return Err(Refusal::bad("lease is not renewable"));
    }
    let (own, own_max) = entry.role_ttls;
    let ask = Ask {
        increment,
        own,
        own_max,
        explicit_max: entry.explicit_max,
        period: entry.period,
        mount: state
            .mounts
            .of(&entry.path)
            .map_or((SYSTEM_TTL, SYSTEM_TTL), |mount| mount.ttls()),
    };
    let granted = grant(ask, entry.created, now).ok_or_else(|| Refusal::bad("past the max TTL, cannot renew"))?;
    let end = now.saturating_add(granted.ttl).unwrap_or(jiff::Timestamp::MAX);
    state.tokens.renew(token, end, now);
    let entry = state.tokens.get(token).ok_or_else(|| Refusal::bad("token not found"))?;
    let mut reply = Reply::auth(entry.auth(token, now));
    reply.warnings.extend(granted.warning);
    Ok(reply)
}

/// Ends a token with all that hangs on it. A token that is not there is no error.
fn revoke(core: &Core, token: &str) -> Reply {
    let now = core.now();
    core.state().end_token(token, now);
    core.wake.notify_one();
    Reply::none()
}
