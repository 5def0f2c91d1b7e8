//! `sys/mounts` and `sys/auth`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    aws::Aws,
    core::Core,
    duration,
    kubernetes::Kubernetes,
    mount::{Backend, Mount},
    reply::{Done, Refusal, Reply},
    request::{Operation, Request},
};

/// Answers below `sys/mounts` (`table` is `mounts`) or `sys/auth`.
pub(super) async fn handle(core: &Arc<Core>, request: &Request, table: &str, path: &str) -> Done {
    let prefix = if table == "auth" { "auth/" } else { "" };
    if path.is_empty() {
        return match request.operation {
            Operation::Read => Ok(list(core, prefix)),
            _ => Err(Refusal::unsupported_operation()),
        };
    }
    let (path, tune) = match path.strip_suffix("/tune") {
        Some(path) => (path, true),
        None => (path, false),
    };
    let own = format!("{}/", path.trim_end_matches('/'));
    let full = format!("{prefix}{own}");
    match (tune, request.operation) {
        (false, Operation::Read) => {
            let state = core.state();
            match state.mounts.get(&full) {
                Some(mount) => Ok(Reply::data(mount.shown())),
                None if table == "auth" => Err(Refusal::bad(format!("No auth engine at {own}"))),
                None => Err(Refusal::bad(format!("No secret engine mount at {own}"))),
            }
        }
        (false, Operation::Write) => enable(core, request, &own, &full),
        (false, Operation::Delete) => disable(core, &own, &full).await,
        (true, Operation::Read) => tuned(core, &own, &full),
        (true, Operation::Write) => tune_it(core, request, &own, &full),
        _ => Err(Refusal::unsupported_operation()),
    }
}

fn list(core: &Core, prefix: &str) -> Reply {
    let state = core.state();
    let mut data = Map::new();
    for mount in state.mounts.all() {
        let is_auth = mount.path.starts_with("auth/");
        if is_auth != prefix.is_empty() {
            data.insert(mount.path[prefix.len()..].to_owned(), mount.shown());
        }
    }
    Reply::data(Value::Object(data))
}

fn enable(core: &Core, request: &Request, own: &str, full: &str) -> Done {
    let fields = request.fields();
    let kind = fields.text("type")?.unwrap_or_default();
    let description = fields.text("description")?.unwrap_or_default();
    if kind.is_empty() {
        return Err(Refusal::bad("backend type must be specified as a string"));
    }
    let auth = full.starts_with("auth/");
    let backend = match (kind.as_str(), auth) {
        ("aws", false) => Backend::Aws(Box::<Aws>::default()),
        ("kubernetes", true) => Backend::Kubernetes(Box::<Kubernetes>::default()),
        _ => return Err(Refusal::bad(format!("plugin not found in the catalog: {kind}"))),
    };
    let mut mount = Mount::new(full, &description, backend);
    let config = request
        .data
        .get("config")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    set_ttls(&mut mount, &config)?;
    let mut state = core.state();
    if let Some(other) = state.mounts.in_the_way(full) {
        let shown = other.path.strip_prefix("auth/").filter(|_| auth).unwrap_or(&other.path);
        return Err(Refusal::bad(if other.path == full || own.starts_with(shown) {
            format!("path is already in use at {shown}")
        } else {
            format!("path {own} conflicts with the existing mount at {shown}")
        }));
    }
    state.mounts.add(mount);
    Ok(Reply::none())
}

async fn disable(core: &Arc<Core>, own: &str, full: &str) -> Done {
    {
        let state = core.state();
        match state.mounts.get(full).map(|mount| &mount.backend) {
            None => return Ok(Reply::none()),
            Some(Backend::Aws(_) | Backend::Kubernetes(_)) => {}
            Some(_) => return Err(Refusal::bad(format!("cannot unmount {own:?}"))),
        }
    }
    // What the mount has given out ends with it; what AWS refuses keeps the mount.
    super::leases::revoke_below(core, full, false).await?;
    let now = core.now();
    let mut state = core.state();
    let tokens: Vec<String> = {
        let of_mount = |token: &String| {
            state
                .tokens
                .get(token)
                .is_some_and(|entry| entry.path.starts_with(full))
        };
        state.tokens.tokens().filter(of_mount).collect()
    };
    for token in tokens {
        state.end_token(&token, now);
    }
    state.mounts.remove(full);
    drop(state);
    core.wake.notify_one();
    Ok(Reply::none())
}

fn tuned(core: &Core, own: &str, full: &str) -> Done {
    let state = core.state();
    let Some(mount) = state.mounts.get(full) else {
        return Err(Refusal::bad(format!("cannot fetch sysview for path {own:?}")));
    };
    let (default, max) = mount.ttls();
    let mut data = json!({
        "default_lease_ttl": default.as_secs(),
        "description": mount.description,
        "force_no_cache": false,
        "max_lease_ttl": max.as_secs(),
    });
    if full.starts_with("auth/") {
        data["token_type"] = json!("default-service");
    }
    Ok(Reply::data(data))
}

fn tune_it(core: &Core, request: &Request, own: &str, full: &str) -> Done {
    let description = request.fields().text("description")?;
    let mut state = core.state();
    let Some(mount) = state.mounts.get_mut(full) else {
        return Err(Refusal::bad(format!(
            "tune of path {own:?} failed: no mount entry found"
        )));
    };
    set_ttls(mount, &request.data)?;
    if let Some(description) = description {
        mount.description = description;
    }
    Ok(Reply::none())
}

fn set_ttls(mount: &mut Mount, config: &Map<String, Value>) -> Result<(), Refusal> {
    let read = |name: &str, old| match config.get(name) {
        None | Some(Value::Null) => Ok(old),
        Some(Value::String(text)) if text == "system" => Ok(jiff::SignedDuration::ZERO),
        Some(value) => duration::parse(value).ok_or_else(|| Refusal::bad(format!("unable to parse {name} of {value}"))),
    };
    let default = read("default_lease_ttl", mount.default_ttl)?;
    let max = read("max_lease_ttl", mount.max_ttl)?;
    if !max.is_zero() && default > max {
        return Err(Refusal::bad("given default lease TTL greater than given max lease TTL"));
    }
    (mount.default_ttl, mount.max_ttl) = (default, max);
    Ok(())
}
