use std::sync::Arc;

use iam_policy::{Attached, Context, Decision, EvaluateError, Policies, Principal, Request, evaluate};
use jiff::SignedDuration;

use super::{Enforcement, Settings};
use crate::{
    identity::{Identity, RoleSession, SessionCredentials},
    services::sts::{Issue, trust_policy},
    state::State,
};

/// How long the keys of an instance last.
const LASTS: SignedDuration = SignedDuration::from_hours(6);

/// Why an instance gets no keys.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InstanceCredentialsError {
    /// No instance profile has this name.
    #[error("there is no instance profile {0}: create it before the instance asks")]
    NoSuchProfile(String),
    /// The profile is empty.
    #[error("instance profile {0} has no role: add one with AddRoleToInstanceProfile")]
    NoRole(String),
    /// The role's trust policy does not let `ec2.amazonaws.com` assume it.
    #[error("role {role} cannot be assumed by ec2.amazonaws.com: {decision}")]
    NotTrusted {
        /// The role's name.
        role: String,
        /// The decision with its trace.
        decision: Box<Decision>,
    },
    /// The upstream could not be asked.
    #[error("{0}")]
    Upstream(String),
    /// The role's trust policy could not be evaluated.
    #[error("the trust policy of role {role} cannot be evaluated: {source}")]
    Evaluate {
        /// The role's name.
        role: String,
        /// What could not.
        source: Box<EvaluateError>,
    },
}

pub(super) fn credentials(
    settings: &Settings,
    state: &mut State,
    profile: &str,
    instance: &str,
) -> Result<SessionCredentials, InstanceCredentialsError> {
    let account = state.main();
    state.settle(settings.clock.wall());
    let iam = state.seen(account);
    let found = iam
        .profiles
        .get(profile)
        .ok_or_else(|| InstanceCredentialsError::NoSuchProfile(profile.to_owned()))?;
    let role = found
        .role
        .as_ref()
        .and_then(|name| iam.roles.get(name))
        .cloned()
        .ok_or_else(|| InstanceCredentialsError::NoRole(profile.to_owned()))?;

    let trust = trust_policy(&role);
    let mut context = Context::new();
    let now = settings.clock.wall();
    context.set_time(now);
    context.set("sts:RoleSessionName", instance);
    let request = Request {
        principal: &Principal::Service("ec2.amazonaws.com".to_owned()),
        action: "sts:AssumeRole",
        resource: &role.arn,
        resource_account: &settings.account,
        context: &context,
    };
    let policies = Policies {
        resource: Some(Attached {
            name: trust.name,
            policy: &trust.policy,
        }),
        ..Policies::default()
    };
    let decision = evaluate(&request, &policies).map_err(|source| InstanceCredentialsError::Evaluate {
        role: role.name.clone(),
        source: Box::new(source),
    })?;
    if !decision.is_allowed() && settings.enforcement == Enforcement::On {
        return Err(InstanceCredentialsError::NotTrusted {
            role: role.name.clone(),
            decision: Box::new(decision),
        });
    }
    let session = RoleSession {
        instance: Some(instance.to_owned()),
        ..RoleSession::of(&role, instance)
    };
    Ok(Issue {
        account,
        identity: Identity::Role(Arc::new(session)),
        now,
        lasts: LASTS,
        policies: Vec::new(),
    }
    .make(&mut state.keys))
}
