//! `sys/leases/`: looked up, renewed and ended.

use std::{collections::BTreeSet, sync::Arc};

use http::StatusCode;
use serde_json::json;

use crate::{
    core::Core,
    lease::{Ask, grant},
    mount::SYSTEM_TTL,
    reply::{Done, LeaseHead, Refusal, Reply},
    request::{Operation, Request},
};

/// Answers below `sys/leases/`, and for the older forms of its paths.
pub(super) async fn handle(core: &Arc<Core>, request: &Request, path: &str) -> Done {
    let (head, rest) = path.split_once('/').unwrap_or((path, ""));
    match (head, request.operation) {
        ("lookup", Operation::List) => list(core, rest),
        ("lookup", Operation::Write) => lookup(core, request),
        ("renew", Operation::Write) => renew(core, request, rest),
        ("revoke", Operation::Write) => revoke(core, request, rest).await,
        ("revoke-prefix" | "revoke-force", Operation::Write) => {
            let force = head == "revoke-force";
            let sync = force || request.fields().flag("sync")?.unwrap_or(true);
            let prefix = format!("{}/", rest.trim_end_matches('/'));
            if sync {
                revoke_below(core, &prefix, force).await?;
                return Ok(Reply::none());
            }
            let now = core.now();
            let mut state = core.state();
            for id in state.leases.below(&prefix) {
                state.leases.set_end(&id, now, None);
            }
            drop(state);
            core.wake.notify_one();
            Ok(Reply::none().status(StatusCode::ACCEPTED))
        }
        ("lookup" | "renew" | "revoke" | "revoke-prefix" | "revoke-force", _) => Err(Refusal::unsupported_operation()),
        _ => Err(Refusal::unsupported_path()),
    }
}

fn asked_id(request: &Request, rest: &str) -> Result<String, Refusal> {
    let fields = request.fields();
    let id = match fields.text("lease_id")? {
        Some(id) if !id.is_empty() => id,
        _ => fields.text("url_lease_id")?.unwrap_or_else(|| rest.to_owned()),
    };
    if id.is_empty() {
        return Err(Refusal::bad("lease_id must be specified"));
    }
    Ok(id)
}

fn list(core: &Core, prefix: &str) -> Done {
    let prefix = if prefix.is_empty() {
        String::new()
    } else {
        format!("{}/", prefix.trim_end_matches('/'))
    };
    let state = core.state();
    let mut keys = BTreeSet::new();
    for id in state.leases.below(&prefix) {
        let rest = &id[prefix.len()..];
        keys.insert(rest.find('/').map_or(rest, |at| &rest[..=at]).to_owned());
    }
    Reply::keys(keys.into_iter().collect())
}

fn lookup(core: &Core, request: &Request) -> Done {
    let id = asked_id(request, "")?;
    let now = core.now();
    let state = core.state();
    let lease = state
        .leases
        .get(&id, now)
        .ok_or_else(|| Refusal::bad("invalid lease"))?;
    Ok(Reply::data(json!({
        "expire_time": lease.expires.to_string(),
        "id": id,
        "issue_time": lease.issued.to_string(),
        "last_renewal": lease.renewed.map(|at| at.to_string()),
        "renewable": lease.renewable(),
        "ttl": lease.expires.duration_since(now).as_secs(),
    })))
}

fn renew(core: &Core, request: &Request, rest: &str) -> Done {
    let id = asked_id(request, rest)?;
    let increment = request.fields().duration("increment")?.unwrap_or_default();
    let now = core.now();
    let mut state = core.state();
    let lease = state
        .leases
        .get(&id, now)
        .ok_or_else(|| Refusal::bad("lease not found"))?;
    if !lease.renewable() {
        return Err(Refusal::bad("lease is not renewable"));
    }
    let (own, own_max) = state
        .mounts
        .aws(&lease.mount)
        .and_then(|aws| aws.lease)
        .unwrap_or_default();
    let ask = Ask {
        increment,
        own,
        own_max,
        mount: state
            .mounts
            .get(&lease.mount)
            .map_or((SYSTEM_TTL, SYSTEM_TTL), |mount| mount.ttls()),
        ..Ask::default()
    };
    let granted = grant(ask, lease.issued, now).ok_or_else(|| Refusal::bad("past the max TTL, cannot renew"))?;
    let end = now.saturating_add(granted.ttl).unwrap_or(jiff::Timestamp::MAX);
    state.leases.set_end(&id, end, Some(now));
    Ok(Reply {
        lease: Some(LeaseHead {
            id,
            renewable: true,
            duration: granted.ttl,
        }),
        warnings: granted.warning.into_iter().collect(),
        ..Reply::default()
    })
}

async fn revoke(core: &Arc<Core>, request: &Request, rest: &str) -> Done {
    let id = asked_id(request, rest)?;
    if request.fields().flag("sync")?.unwrap_or(true) {
        end(core, &id, false).await?;
        return Ok(Reply::none());
    }
    let now = core.now();
    core.state().leases.set_end(&id, now, None);
    core.wake.notify_one();
    Ok(Reply::none().status(StatusCode::ACCEPTED))
}

/// Ends the leases below a prefix, one after another; `force` forgets them also if AWS refuses.
///
/// # Errors
/// What AWS refused first; the leases after it stay.
pub(super) async fn revoke_below(core: &Arc<Core>, prefix: &str, force: bool) -> Result<(), Refusal> {
    let ids = core.state().leases.below(prefix);
    let count = ids.len();
    for (number, id) in ids.into_iter().enumerate() {
        if let Err(refusal) = end(core, &id, force).await {
            let first = refusal.errors.first().cloned().unwrap_or_default();
            let number = number + 1;
            return Err(Refusal::bad(format!(
                "failed to revoke {id:?} ({number} / {count}): {first}"
            )));
        }
    }
    Ok(())
}

/// Ends one lease now.
async fn end(core: &Arc<Core>, id: &str, force: bool) -> Result<(), Refusal> {
    let Some(lease) = core.state().leases.any(id).cloned() else {
        return Ok(());
    };
    match core.end_secret(&lease).await {
        Err(error) if !force => {
            return Err(Refusal::bad(format!(
                "failed to revoke entry: resp: (*logical.Response)(nil) err: {error}"
            )));
        }
        _ => core.state().leases.remove(id),
    }
    Ok(())
}
