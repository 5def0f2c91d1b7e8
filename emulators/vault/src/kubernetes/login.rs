use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use tracing::debug;

use super::{jwt, review};
use crate::{
    core::Core,
    lease::{Ask, grant},
    mint,
    reply::{Done, Refusal, Reply},
    request::Request,
    token::{Token, policies_of},
};

/// A token for a service account whom the API server vouches for.
pub(super) async fn login(core: &Arc<Core>, request: &Request, mount: &str) -> Done {
    let fields = request.fields();
    let needed = |name: &str| -> Result<String, Refusal> {
        let given = fields.text(name)?.filter(|text| !text.is_empty());
        given.ok_or_else(|| Refusal::bad(format!("missing {name}")))
    };
    let name = needed("role")?;
    let (role, config) = {
        let state = core.state();
        let method = state.mounts.kubernetes(mount).ok_or_else(Refusal::unsupported_path)?;
        let role = method.roles.get(&name.to_lowercase()).cloned();
        let role = role.ok_or_else(|| Refusal::bad(format!("invalid role name {name:?}")))?;
        (role, method.config.clone())
    };
    let jwt = needed("jwt")?;
    let config = config.ok_or_else(|| Refusal::internal("could not load backend configuration"))?;
    let claims = jwt::claims(&jwt, &config, &role, core.now())?;
    if let Err(why) = review::review(core, &config, &jwt, &role.audience, &claims).await {
        debug!(role = name, why, "login unauthorized");
        return Err(Refusal::forbidden("permission denied"));
    }
    let now = core.now();
    let mut state = core.state();
    let Some(found) = state.mounts.get(mount) else {
        return Err(Refusal::no_route(&request.path));
    };
    let (accessor, ttls) = (found.accessor.clone(), found.ttls());
    let entity = state.entity(&accessor, &role.alias(&claims.namespace, &claims.name, &claims.uid));
    let ask = Ask {
        own: role.ttl,
        own_max: role.max_ttl,
        explicit_max: role.explicit_max,
        period: role.period,
        mount: ttls,
        increment: SignedDuration::ZERO,
    };
    let granted = grant(ask, now, now).ok_or_else(|| Refusal::bad("past the max TTL, cannot renew"))?;
    let policies = policies_of(&role.policies, role.no_default);
    let warnings = granted.warning.into_iter().collect();
    let meta = BTreeMap::from([
        ("role".to_owned(), name),
        ("service_account_name".to_owned(), claims.name.clone()),
        ("service_account_namespace".to_owned(), claims.namespace.clone()),
        ("service_account_secret_name".to_owned(), claims.secret_name),
        ("service_account_uid".to_owned(), claims.uid),
    ]);
    let prefix = mount
        .trim_start_matches("auth/")
        .trim_end_matches('/')
        .replace('/', "-");
    let token = mint::service_token(false);
    let entry = Token {
        accessor: mint::accessor(),
        policies,
        display_name: format!("{prefix}-{}-{}", claims.namespace, claims.name),
        path: format!("{mount}login"),
        meta: Some(meta),
        entity,
        parent: None,
        created: now,
        creation_ttl: granted.ttl,
        expires: Some(now.saturating_add(granted.ttl).unwrap_or(Timestamp::MAX)),
        renewed: None,
        renewable: true,
        uses: Some(role.uses).filter(|uses| *uses > 0),
        period: role.period,
        explicit_max: role.explicit_max,
        role_ttls: (role.ttl, role.max_ttl),
        wrapped: None,
    };
    let reply = Reply::auth(entry.auth(&token, now));
    state.tokens.add(token, entry);
    Ok(Reply { warnings, ..reply })
}
