//! `sys/policies/acl` and its older form `sys/policy`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    core::Core,
    policy,
    reply::{Done, Refusal, Reply},
    request::{Operation, Request},
};

/// Answers for the policy of this name, or for all of them.
pub(super) fn handle(core: &Core, request: &Request, name: &str, new_form: bool) -> Done {
    let name = name.to_lowercase();
    match (name.as_str(), request.operation) {
        ("", Operation::List) => Ok(list(core, new_form)),
        ("", Operation::Read) if !new_form => Ok(list(core, false)),
        ("", _) => Err(Refusal::unsupported_operation()),
        (_, Operation::Read) => read(core, &name, new_form),
        (_, Operation::Write) => write(core, request, &name),
        (_, Operation::Delete) => delete(core, &name),
        _ => Err(Refusal::unsupported_operation()),
    }
}

fn list(core: &Core, new_form: bool) -> Reply {
    let state = core.state();
    let mut names: Vec<&str> = state.policies.keys().map(String::as_str).collect();
    names.retain(|name| *name != "response-wrapping");
    names.push("root");
    Reply::data(if new_form {
        json!({ "keys": names })
    } else {
        json!({ "keys": names, "policies": names })
    })
}

fn read(core: &Core, name: &str, new_form: bool) -> Done {
    let state = core.state();
    let text = match state.policies.get(name) {
        Some(policy) => policy.text.as_str(),
        None if name == "root" => "",
        None => return Err(Refusal::absent()),
    };
    let word = if new_form { "policy" } else { "rules" };
    Ok(Reply::data(json!({ "name": name, word: text })))
}

fn write(core: &Core, request: &Request, name: &str) -> Done {
    let fields = request.fields();
    let text = match fields.text("policy")?.filter(|text| !text.is_empty()) {
        Some(text) => text,
        None => fields
            .text("rules")?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::bad("'policy' parameter not supplied or empty"))?,
    };
    if matches!(name, "root" | "response-wrapping") {
        return Err(Refusal::bad(format!("cannot update {name:?} policy")));
    }
    let plain = STANDARD
        .decode(text.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let policy = policy::parse(plain.as_deref().unwrap_or(&text)).map_err(Refusal::bad)?;
    core.state().policies.insert(name.to_owned(), policy);
    Ok(Reply::none())
}

fn delete(core: &Core, name: &str) -> Done {
    match name {
        "default" => return Err(Refusal::bad("cannot delete default policy")),
        "root" | "response-wrapping" => return Err(Refusal::bad(format!("cannot delete {name:?} policy"))),
        _ => {}
    }
    core.state().policies.remove(name);
    Ok(Reply::none())
}
