//! Wrapped answers, and the private entries of a token.

use serde_json::{Map, Value, json};

use crate::{
    core::Core,
    reply::{Done, Refusal, Reply},
    request::{Operation, Request},
    route::Caller,
};

const INVALID: &str = "wrapping token is not valid or does not exist";

/// The wrapping token in the body of a request that may go without any other.
pub(crate) fn own_wrapping_token(request: &Request) -> Option<String> {
    let open = matches!(request.path.as_str(), "sys/wrapping/unwrap" | "sys/wrapping/lookup");
    let token = open.then(|| request.data.get("token")).flatten()?;
    token.as_str().map(str::to_owned)
}

/// Answers below `sys/wrapping/`.
pub(super) fn handle(core: &Core, request: &Request, path: &str, caller: &Caller) -> Done {
    match (path, request.operation) {
        ("wrap", Operation::Write) if request.wrap.is_none() => {
            Err(Refusal::bad("endpoint requires response wrapping to be used"))
        }
        ("wrap", Operation::Write) => Ok(Reply::data(Value::Object(request.data.clone()))),
        ("unwrap", Operation::Write) => unwrap(core, request, caller),
        ("lookup", Operation::Write | Operation::Read) => lookup(core, request, caller),
        ("wrap" | "unwrap" | "lookup", _) => Err(Refusal::unsupported_operation()),
        _ => Err(Refusal::unsupported_path()),
    }
}

fn asked(request: &Request, caller: &Caller) -> Result<String, Refusal> {
    Ok(request
        .fields()
        .text("token")?
        .filter(|token| !token.is_empty())
        .unwrap_or_else(|| caller.token.clone()))
}

fn unwrap(core: &Core, request: &Request, caller: &Caller) -> Done {
    let token = asked(request, caller)?;
    let now = core.now();
    let mut state = core.state();
    let own = token == caller.token;
    // The caller's own one is being used for the last time.
    let found = state.tokens.get(&token).filter(|entry| own || entry.lives(now));
    let wrapped = found
        .and_then(|entry| entry.wrapped.clone())
        .ok_or_else(|| Refusal::bad(INVALID))?;
    state.end_token_alone(&token, now);
    let (body, _) = *wrapped;
    Ok(Reply::bare(http::StatusCode::OK, body))
}

fn lookup(core: &Core, request: &Request, caller: &Caller) -> Done {
    let token = asked(request, caller)?;
    let now = core.now();
    let state = core.state();
    let entry = state.live_token(&token, now).filter(|entry| entry.wrapped.is_some());
    let entry = entry.ok_or_else(|| Refusal::bad(INVALID))?;
    Ok(Reply::data(json!({
        "creation_path": entry.path,
        "creation_time": entry.created.to_string(),
        "creation_ttl": entry.creation_ttl.as_secs(),
    })))
}

/// Answers below `cubbyhole/`.
pub(crate) fn cubbyhole(core: &Core, request: &Request, path: &str, caller: &Caller) -> Done {
    let mut state = core.state();
    let own = state.cubbyholes.get(&caller.token);
    match request.operation {
        Operation::Read => {
            let found = own.and_then(|own| own.get(path)).ok_or_else(Refusal::absent)?;
            Ok(Reply::data(Value::Object(found.clone())))
        }
        Operation::List => {
            let prefix = if path.is_empty() {
                String::new()
            } else {
                format!("{path}/")
            };
            let below = own
                .into_iter()
                .flat_map(|own| own.keys())
                .filter_map(|key| key.strip_prefix(&prefix));
            let mut keys: Vec<String> = below
                .map(|rest| rest.find('/').map_or(rest, |at| &rest[..=at]).to_owned())
                .collect();
            keys.dedup();
            Reply::keys(keys)
        }
        Operation::Write if path.is_empty() => Err(Refusal::bad("missing path")),
        Operation::Write => {
            let data: Map<String, Value> = request.data.clone();
            if data.is_empty() {
                return Err(Refusal::bad("missing data fields"));
            }
            state
                .cubbyholes
                .entry(caller.token.clone())
                .or_default()
                .insert(path.to_owned(), data);
            Ok(Reply::none())
        }
        Operation::Delete => {
            if let Some(own) = state.cubbyholes.get_mut(&caller.token) {
                own.remove(path);
            }
            Ok(Reply::none())
        }
        Operation::Patch => Err(Refusal::unsupported_operation()),
    }
}
