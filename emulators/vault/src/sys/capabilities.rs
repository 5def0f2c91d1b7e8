//! What a token may do on paths.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{
    core::Core,
    policy::Acl,
    reply::{Done, Refusal, Reply, several},
    request::{Operation, Request},
    route::Caller,
};

/// Answers `capabilities`, `capabilities-self` and `capabilities-accessor`.
pub(super) fn handle(core: &Core, request: &Request, which: &str, caller: &Caller) -> Done {
    if request.operation != Operation::Write {
        return Err(Refusal::unsupported_operation());
    }
    let fields = request.fields();
    let mut paths = fields.list("paths")?.unwrap_or_default();
    if paths.is_empty() {
        paths = fields.list("path")?.unwrap_or_default();
    }
    if paths.is_empty() {
        return Err(Refusal::bad("paths must be supplied"));
    }
    let state = core.state();
    let invalid = || Refusal::new(StatusCode::BAD_REQUEST, several(&["invalid token"]));
    let token = match which {
        "capabilities" => fields.text("token")?.unwrap_or_default(),
        "capabilities-accessor" => {
            let accessor = fields.text("accessor")?.unwrap_or_default();
            state
                .tokens
                .by_accessor(&accessor)
                .ok_or_else(|| Refusal::bad(several(&["invalid accessor"])))?
                .to_owned()
        }
        _ => caller.token.clone(),
    };
    let policies = match state.live_token(&token, core.now()) {
        Some(found) => found.policies.clone(),
        // A token that was used for the last time is the caller's own.
        None if token == caller.token => caller.policies.clone(),
        None => return Err(invalid()),
    };
    let acl = state.acl(&policies);
    let mut data = Map::new();
    for path in &paths {
        data.insert(path.clone(), json!(named(&acl, path)));
    }
    if let [only] = paths.as_slice() {
        data.insert("capabilities".to_owned(), json!(named(&acl, only)));
    }
    Ok(Reply::data(Value::Object(data)))
}

fn named(acl: &Acl, path: &str) -> Vec<&'static str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let on = acl.on(path);
    if on.is_empty() {
        vec!["deny"]
    } else {
        on.into_iter().collect()
    }
}

/// Whether the caller is root, as the web UI and some clients ask.
pub(super) fn resultant(core: &Core, caller: &Caller) -> Done {
    let state = core.state();
    let root = state.acl(&caller.policies).allows("", "root");
    Ok(Reply::data(
        json!({ "exact_paths": {}, "glob_paths": {}, "root": root }),
    ))
}
