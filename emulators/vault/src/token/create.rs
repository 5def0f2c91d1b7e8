//! New tokens.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::Token;
use crate::{
    core::Core,
    lease::{Ask, Granted, grant},
    mint,
    mount::SYSTEM_TTL,
    reply::{Done, Refusal, Reply},
    request::Request,
    route::Caller,
};

/// The policies of a new token: sorted, once each, in small letters, with `default` unless it is not wanted.
pub(crate) fn policies_of(asked: &[String], no_default: bool) -> Vec<String> {
    let mut policies: BTreeSet<String> = asked.iter().map(|name| name.trim().to_lowercase()).collect();
    policies.remove("");
    if policies.contains("root") {
        return vec!["root".to_owned()];
    }
    if !no_default {
        policies.insert("default".to_owned());
    }
    policies.into_iter().collect()
}

/// `auth/token/create`: a child of the caller's token, unless it is to be an orphan.
pub(super) fn create(core: &Core, request: &Request, caller: &Caller, orphan: bool) -> Done {
    let fields = request.fields();
    let now = core.now();
    let mut state = core.state();
    let parent = state.tokens.get(&caller.token).cloned();
    let is_root = caller.policies.iter().any(|name| name == "root");
    let sudo = is_root || state.acl(&caller.policies).allows("auth/token/create", "sudo");
    if fields.text("type")?.is_some_and(|kind| kind == "batch") {
        return Err(Refusal::bad(if is_root && fields.list("policies")?.is_none() {
            "batch tokens cannot be root tokens"
        } else {
            "batch tokens are not implemented here: ask for type=service"
        }));
    }
    let asked = fields.list("policies")?.unwrap_or_default();
    let no_default = fields.flag("no_default_policy")?.unwrap_or(false);
    let policies = match asked.is_empty() {
        true => parent
            .as_ref()
            .map(|parent| parent.policies.clone())
            .unwrap_or_default(),
        false => policies_of(&asked, no_default),
    };
    let becomes_root = policies.iter().any(|name| name == "root");
    if becomes_root && !is_root {
        return Err(Refusal::bad(
            "root tokens may not be created without parent token being root",
        ));
    }
    if !sudo
        && policies
            .iter()
            .any(|name| name != "default" && !caller.policies.contains(name))
    {
        return Err(Refusal::bad("child policies must be subset of parent"));
    }
    let no_parent = orphan || fields.flag("no_parent")?.unwrap_or(false);
    if no_parent && !orphan && !sudo {
        return Err(Refusal::bad("root or sudo privileges required to create orphan token"));
    }
    let id = fields.text("id")?.filter(|id| !id.is_empty());
    if id.is_some() && !sudo {
        return Err(Refusal::bad("root or sudo privileges required to specify token id"));
    }
    let id = id.unwrap_or_else(|| mint::service_token(becomes_root));
    if state.tokens.get(&id).is_some() {
        return Err(Refusal::bad("cannot create a token with a duplicate ID"));
    }
    let uses = fields.number("num_uses")?.unwrap_or(0);
    if uses < 0 {
        return Err(Refusal::bad("number of uses cannot be negative"));
    }
    let ttl = fields
        .duration("ttl")?
        .or(fields.duration("lease")?)
        .unwrap_or_default();
    let explicit_max = fields.duration("explicit_max_ttl")?.unwrap_or_default();
    let period = fields.duration("period")?.unwrap_or_default();
    if !period.is_zero() && !sudo {
        return Err(Refusal::bad(
            "root or sudo privileges required to create periodic token",
        ));
    }
    let display_name = match fields.text("display_name")? {
        Some(name) if !name.is_empty() => format!("token-{}", cleaned(&name)),
        _ => "token".to_owned(),
    };
    let endless = becomes_root && ttl.is_zero() && period.is_zero() && explicit_max.is_zero();
    let mount = state
        .mounts
        .get("auth/token/")
        .map_or((SYSTEM_TTL, SYSTEM_TTL), |mount| mount.ttls());
    let ask = Ask {
        increment: ttl,
        explicit_max,
        period,
        mount,
        ..Ask::default()
    };
    let granted = if endless {
        Granted {
            ttl: SignedDuration::ZERO,
            warning: None,
        }
    } else {
        grant(ask, now, now).ok_or_else(|| Refusal::bad("past the max TTL, cannot renew"))?
    };
    let mut warnings: Vec<String> = granted.warning.into_iter().collect();
    for name in policies
        .iter()
        .filter(|name| *name != "root" && !state.policies.contains_key(*name))
    {
        warnings.push(format!("Policy {name:?} does not exist"));
    }
    let entry = Token {
        accessor: mint::accessor(),
        policies,
        display_name,
        path: "auth/token/create".to_owned(),
        meta: fields.pairs("meta")?.map(|pairs| pairs.into_iter().collect()),
        entity: parent.map(|parent| parent.entity).unwrap_or_default(),
        parent: (!no_parent).then(|| caller.token.clone()),
        created: now,
        creation_ttl: granted.ttl,
        expires: (!endless).then(|| now.saturating_add(granted.ttl).unwrap_or(Timestamp::MAX)),
        renewed: None,
        renewable: !endless && fields.flag("renewable")?.unwrap_or(true),
        uses: u32::try_from(uses).ok().filter(|uses| *uses > 0),
        period,
        explicit_max,
        role_ttls: (SignedDuration::ZERO, SignedDuration::ZERO),
        wrapped: None,
    };
    let reply = Reply::auth(entry.auth(&id, now));
    state.tokens.add(id, entry);
    Ok(Reply { warnings, ..reply })
}

/// What a display name keeps of a text: letters, digits and dashes.
fn cleaned(name: &str) -> String {
    let dashed: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' })
        .collect();
    dashed.trim_matches('-').to_owned()
}
