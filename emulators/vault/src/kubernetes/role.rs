use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::{
    core::Core,
    duration,
    reply::{Done, Refusal, Reply},
    request::Request,
};

/// Whom a login lets in, and what it gives.
#[derive(Clone, Default)]
pub(crate) struct Role {
    pub(crate) names: Vec<String>,
    pub(crate) namespaces: Vec<String>,
    pub(crate) audience: String,
    alias_source: String,
    pub(crate) policies: Vec<String>,
    pub(crate) ttl: SignedDuration,
    pub(crate) max_ttl: SignedDuration,
    pub(crate) explicit_max: SignedDuration,
    pub(crate) period: SignedDuration,
    pub(crate) uses: u32,
    pub(crate) no_default: bool,
    kind: String,
    /// The fields that were given by their old names, which a read shows as well.
    old: Vec<&'static str>,
}

// === impl Role ===

impl Role {
    /// The name of the caller among those that logins of this role have.
    pub(super) fn alias(&self, namespace: &str, name: &str, uid: &str) -> String {
        match self.alias_source.as_str() {
            "serviceaccount_name" => format!("{namespace}/{name}"),
            _ => uid.to_owned(),
        }
    }
}

pub(super) fn read(core: &Core, mount: &str, name: &str) -> Done {
    let state = core.state();
    let role = state
        .mounts
        .kubernetes(mount)
        .and_then(|method| method.roles.get(&name.to_lowercase()));
    let role = role.ok_or_else(Refusal::absent)?;
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("alias_name_source", json!(role.alias_source));
    if !role.audience.is_empty() {
        put("audience", json!(role.audience));
    }
    put("bound_service_account_names", json!(role.names));
    put("bound_service_account_namespace_selector", json!(""));
    put("bound_service_account_namespaces", json!(role.namespaces));
    for old in &role.old {
        match *old {
            "policies" => put("policies", json!(role.policies)),
            "ttl" => put("ttl", json!(role.ttl.as_secs())),
            "max_ttl" => put("max_ttl", json!(role.max_ttl.as_secs())),
            "period" => put("period", json!(role.period.as_secs())),
            _ => put("num_uses", json!(role.uses)),
        };
    }
    put("token_bound_cidrs", json!([]));
    put("token_explicit_max_ttl", json!(role.explicit_max.as_secs()));
    put("token_max_ttl", json!(role.max_ttl.as_secs()));
    put("token_no_default_policy", json!(role.no_default));
    put("token_num_uses", json!(role.uses));
    put("token_period", json!(role.period.as_secs()));
    put("token_policies", json!(role.policies));
    put("token_ttl", json!(role.ttl.as_secs()));
    put("token_type", json!(role.kind));
    Ok(Reply::data(Value::Object(data)))
}

/// A write keeps the fields that it does not name.
pub(super) fn write(core: &Core, request: &Request, mount: &str, name: &str) -> Done {
    let fields = request.fields();
    let key = name.to_lowercase();
    let mut state = core.state();
    let max_of_mount = state.mounts.get(mount).map(|mount| mount.ttls().1).unwrap_or_default();
    let Some(method) = state.mounts.kubernetes_mut(mount) else {
        return Err(Refusal::unsupported_path());
    };
    let mut role = method.roles.get(&key).cloned().unwrap_or_default();
    if fields
        .list("token_bound_cidrs")?
        .or(fields.list("bound_cidrs")?)
        .is_some_and(|cidrs| !cidrs.is_empty())
    {
        return Err(Refusal::bad("token_bound_cidrs are not implemented here"));
    }
    role.old.clear();
    let set = |new: &str, old: &'static str, role: &mut Role| -> Result<Option<SignedDuration>, Refusal> {
        if let Some(value) = fields.duration(new)? {
            return Ok(Some(value));
        }
        let value = fields.duration(old)?;
        if value.is_some() {
            role.old.push(old);
        }
        Ok(value)
    };
    role.max_ttl = set("token_max_ttl", "max_ttl", &mut role)?.unwrap_or(role.max_ttl);
    role.period = set("token_period", "period", &mut role)?.unwrap_or(role.period);
    role.ttl = set("token_ttl", "ttl", &mut role)?.unwrap_or(role.ttl);
    role.explicit_max = fields.duration("token_explicit_max_ttl")?.unwrap_or(role.explicit_max);
    match (fields.list("token_policies")?, fields.list("policies")?) {
        (Some(policies), _) => role.policies = policies,
        (None, Some(policies)) => {
            role.policies = policies;
            role.old.push("policies");
        }
        (None, None) => {}
    }
    if let Some(uses) = fields.number("token_num_uses")?.or(fields.number("num_uses")?) {
        role.uses = u32::try_from(uses).map_err(|_| Refusal::bad("'token_num_uses' cannot be negative"))?;
    }
    role.no_default = fields.flag("token_no_default_policy")?.unwrap_or(role.no_default);
    role.kind = match fields.text("token_type")?.unwrap_or_else(|| role.kind.clone()).as_str() {
        "" | "default" | "default-service" => "default".to_owned(),
        "service" => "service".to_owned(),
        other => {
            return Err(Refusal::bad(format!(
                "token_type {other:?} is not implemented here: ask for service"
            )));
        }
    };
    if role.period > max_of_mount {
        return Err(Refusal::bad(format!(
            "token period of '\"{}\"' is greater than the backend's maximum lease TTL of '\"{}\"'",
            duration::go(role.period),
            duration::go(max_of_mount)
        )));
    }
    if !role.max_ttl.is_zero() && role.ttl > role.max_ttl {
        return Err(Refusal::bad("'token_ttl' cannot be greater than 'token_max_ttl'"));
    }
    let mut reply = Reply::none();
    if role.max_ttl > max_of_mount {
        reply = reply.warn(
            "max_ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will \
             be truncated",
        );
    }
    role.names = fields.list("bound_service_account_names")?.unwrap_or(role.names);
    if role.names.is_empty() {
        return Err(Refusal::bad("\"bound_service_account_names\" can not be empty"));
    }
    role.namespaces = fields
        .list("bound_service_account_namespaces")?
        .unwrap_or(role.namespaces);
    if fields
        .text("bound_service_account_namespace_selector")?
        .is_some_and(|selector| !selector.is_empty())
    {
        return Err(Refusal::bad(
            "bound_service_account_namespace_selector is not implemented here",
        ));
    }
    if role.namespaces.is_empty() {
        return Err(Refusal::bad(
            "\"bound_service_account_namespaces\" can not be empty if \"bound_service_account_namespace_selector\" is not \
             set",
        ));
    }
    for bound in [&role.names, &role.namespaces] {
        if bound.len() > 1 && bound.iter().any(|value| value == "*") {
            return Err(Refusal::bad("can not mix \"*\" with values"));
        }
    }
    role.audience = fields.text("audience")?.unwrap_or(role.audience);
    if role.audience.trim().is_empty() {
        reply = reply.warn(format!(
            "Role {name} does not have an audience configured. While audiences are not required, consider specifying one if \
             your use case would benefit from additional JWT claim verification."
        ));
    }
    let source = fields.text("alias_name_source")?.filter(|source| !source.is_empty());
    let kept = if role.alias_source.is_empty() {
        "serviceaccount_uid".to_owned()
    } else {
        role.alias_source
    };
    role.alias_source = source.unwrap_or(kept);
    if !matches!(role.alias_source.as_str(), "serviceaccount_uid" | "serviceaccount_name") {
        return Err(Refusal::bad(format!(
            "invalid alias_name_source {:?}",
            role.alias_source
        )));
    }
    method.roles.insert(key, role);
    Ok(reply)
}
