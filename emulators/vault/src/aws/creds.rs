//! `creds/` and `sts/`: new keys under a lease.

use std::sync::Arc;

use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{
    iam_user,
    role::{ASSUMED_ROLE, FEDERATION_TOKEN, IAM_USER, Role, SESSION_TOKEN},
    sts::{self, Wanted},
};
use crate::{
    core::Core,
    lease::{Ask, Lease, Secret, grant},
    mint,
    mount::SYSTEM_TTL,
    reply::{Done, LeaseHead, Refusal, Reply},
    request::Request,
    route::Caller,
};

/// The life of STS keys where nobody says otherwise.
const DEFAULT_TTL: SignedDuration = SignedDuration::from_hours(1);

/// Makes keys. Both paths serve every type of role that was written in the new form.
pub(super) async fn issue(
    core: &Arc<Core>,
    request: &Request,
    mount: &str,
    (path, name): (&str, &str),
    caller: &Caller,
) -> Done {
    let fields = request.fields();
    let (role, root, lease, ttls) = {
        let state = core.state();
        let ttls = state
            .mounts
            .get(mount)
            .map_or((SYSTEM_TTL, SYSTEM_TTL), |mount| mount.ttls());
        let aws = state.mounts.aws(mount).ok_or_else(Refusal::unsupported_path)?;
        let role = aws.roles.get(name).cloned();
        (role, aws.root.clone(), aws.lease.unwrap_or_default(), ttls)
    };
    let role = role.ok_or_else(|| Refusal::bad(format!("Role {name:?} not found")))?;
    let ttl = match fields.duration("ttl")? {
        Some(ttl) => ttl,
        None if !role.default_sts_ttl.is_zero() => role.default_sts_ttl,
        None => DEFAULT_TTL,
    };
    let max = if role.max_sts_ttl.is_zero() {
        ttls.1
    } else {
        role.max_sts_ttl
    };
    let kind = kind(&role, path)?;
    let id = format!("{mount}{path}/{name}/{}", mint::base62(24));
    let known = root.is_some();
    let root = root.ok_or_else(iam_user::no_credentials);
    if kind == IAM_USER {
        let root = root.map_err(|error| error.refusal("Error creating IAM user"))?;
        let made = iam_user::create(core, mount, &root, &role, (&caller.display_name, name)).await?;
        let now = core.now();
        let ask = Ask {
            own: lease.0,
            own_max: lease.1,
            mount: ttls,
            ..Ask::default()
        };
        let granted = grant(ask, now, now).ok_or_else(|| Refusal::bad("past the max TTL, cannot renew"))?;
        let data = json!({
            "access_key": made.access_key,
            "secret_key": made.secret_key.expose_secret(),
            "session_token": null,
        });
        let secret = Secret::IamUser {
            name: made.name,
            key: made.secret_key,
        };
        let mut reply = leased(
            core,
            caller,
            id,
            Lease::new(mount, &caller.token, now, granted.ttl, secret),
            data,
        );
        reply.warnings.extend(granted.warning);
        return Ok(reply);
    }
    let text = |name: &str| fields.text(name).map(Option::unwrap_or_default);
    let (asked_arn, session_name, mfa_code) = (text("role_arn")?, text("role_session_name")?, text("mfa_code")?);
    let role_arn = if kind == ASSUMED_ROLE {
        arn(&role, name, &asked_arn)?
    } else {
        String::new()
    };
    if !known {
        return Err(Refusal::bad("could not obtain sts client"));
    }
    let root = root.map_err(|error| error.refusal("Error generating STS keys"))?;
    let wanted = Wanted {
        kind,
        ttl: ttl.min(max).as_secs(),
        role_arn: &role_arn,
        session_name: &session_name,
        mfa_code: &mfa_code,
        display_name: &caller.display_name,
        role_name: name,
    };
    let issued = sts::issue(core, mount, &root, &role, &wanted).await?;
    let now = core.now();
    let left = issued.expires.duration_since(now);
    let mut data = issued.data;
    data["ttl"] = json!(left.as_secs().max(0));
    let secret = Secret::Sts { keys: issued.keys };
    Ok(leased(
        core,
        caller,
        id,
        Lease::new(mount, &caller.token, now, left, secret),
        data,
    ))
}

/// The type of the keys: the role's, or that of the path for an old role with a policy.
fn kind(role: &Role, path: &str) -> Result<&'static str, Refusal> {
    let of_path = if path == "creds" { IAM_USER } else { FEDERATION_TOKEN };
    let name = match role.types.as_slice() {
        [one] => one.as_str(),
        _ => of_path,
    };
    let kinds = [IAM_USER, ASSUMED_ROLE, FEDERATION_TOKEN, SESSION_TOKEN];
    let kind = kinds.into_iter().find(|kind| *kind == name);
    let kind = kind.ok_or_else(|| Refusal::bad(format!("unknown credential_type: {name:?}")))?;
    if role.legacy && (kind == IAM_USER) != (path == "creds") {
        return Err(Refusal::bad(format!(
            "attempted to retrieve {kind} credentials through the {path} path; this is not allowed for legacy roles"
        )));
    }
    Ok(kind)
}

fn arn(role: &Role, name: &str, asked: &str) -> Result<String, Refusal> {
    match (asked, role.role_arns.as_slice()) {
        ("", [only]) => Ok(only.clone()),
        ("", _) => Err(Refusal::bad(
            "did not supply a role_arn parameter and unable to determine one",
        )),
        (asked, listed) if listed.iter().any(|arn| arn == asked) => Ok(asked.to_owned()),
        (asked, _) => Err(Refusal::bad(format!(
            "role_arn {asked:?} not in allowed role arns for Vault role {name:?}"
        ))),
    }
}

/// Hands keys out under a lease. If the token has ended meanwhile, so does the lease at once.
fn leased(core: &Core, caller: &Caller, id: String, lease: Lease, data: Value) -> Reply {
    let head = LeaseHead {
        id: id.clone(),
        renewable: lease.renewable(),
        duration: lease.expires.duration_since(lease.issued),
    };
    let now = core.now();
    let mut state = core.state();
    state.leases.add(id, lease);
    if state.tokens.get(&caller.token).is_none() {
        state.leases.end_of_token(&caller.token, now);
        drop(state);
        core.wake.notify_one();
    }
    Reply {
        lease: Some(head),
        ..Reply::data(data)
    }
}
