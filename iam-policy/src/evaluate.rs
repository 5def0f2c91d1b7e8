//! How the policies that apply to a request combine.
//!
//! Source: "Policy evaluation logic" of the IAM User Guide, with its pages on single-account and cross-account
//! evaluation and on permissions boundaries.

use crate::context::View;
use crate::decision::{Decision, Effect, Mismatch, NearMiss, PolicyType, Reason, StatementRef};
use crate::error::EvaluateError;
use crate::principal::Principal;
use crate::principal_element::Standing;
use crate::reading::Reading;
use crate::request::{Policies, Request};
use crate::statement::Question;

/// The question and all answers to it.
struct Evaluation<'a> {
    request: &'a Request<'a>,
    identity: Reading,
    /// None: no such policy, and so no limit.
    boundary: Option<Reading>,
    session: Option<Reading>,
    resource: Reading,
    resource_type: PolicyType,
}

/// Which of the policies that can only take away have to allow a request too.
#[derive(Clone, Copy, Debug)]
struct Limits {
    boundary: bool,
    session: bool,
}

/// Decides a request.
///
/// An explicit deny of any policy comes first. Then, for users and role sessions of the account of the resource, either
/// an identity-based policy must allow or the resource's policy must name them; for those of other accounts both must
/// allow. A resource's policy that names an account only lets that account decide. A permissions boundary and session
/// policies, where there are any, must allow as well, except that a resource's policy of the same account which names
/// the session itself is not limited by either, and one that names the user is not limited by the boundary. Trust
/// policies are stricter: without one that allows nobody assumes the role, and they are always limited. Services and
/// anonymous callers need the resource's policy alone. The root user may do everything in its own account.
///
/// # Errors
/// When the question makes no sense (see [`EvaluateError`]): treat it as a fault of yours and let nothing pass.
pub fn evaluate(request: &Request<'_>, policies: &Policies<'_>) -> Result<Decision, EvaluateError> {
    policies.check(request)?;
    let view = View::new(request.context, request.principal, request.resource_account);
    let question = Question {
        principal: request.principal,
        action: request.action,
        resource: request.resource,
        view: &view,
    };
    let boundary = policies.boundary.as_slice();
    let resource = policies.resource.as_slice();
    Ok(Evaluation {
        request,
        identity: Reading::of(&policies.identity, &question)?,
        boundary: Reading::of_any(boundary, &question)?,
        session: Reading::of_any(&policies.session, &question)?,
        resource: Reading::of(resource, &question)?,
        resource_type: if policies.have_trust() {
            PolicyType::RoleTrust
        } else {
            PolicyType::ResourceBased
        },
    }
    .decide())
}

// === impl Limits ===

impl Limits {
    const ALL: Self = Self {
        boundary: true,
        session: true,
    };
    const NONE: Self = Self {
        boundary: false,
        session: false,
    };
}

// === impl Evaluation ===

impl Evaluation<'_> {
    fn decide(self) -> Decision {
        if let Some(kind) = self.explicit_deny() {
            let statements = self
                .readings()
                .flat_map(|(_, reading)| reading.denies.clone())
                .collect();
            return self.decision(Effect::ExplicitDeny, Reason::Denies(kind), statements);
        }
        let same_account = self.request.principal.account() == Some(self.request.resource_account);
        match self.request.principal {
            Principal::Service(_) | Principal::Anonymous => {
                if self.resource.allows() {
                    self.allowed(self.resource_type, &[&self.resource], Limits::NONE)
                } else {
                    self.denied(self.resource_type, &[&self.resource])
                }
            }
            Principal::Root { .. } => self.decide_root(same_account),
            Principal::User { .. } | Principal::AssumedRole { .. } | Principal::FederatedUser { .. } => {
                if same_account {
                    self.decide_same_account()
                } else {
                    self.decide_cross_account()
                }
            }
        }
    }

    /// The root user needs no identity-based policy. Of roles and of what belongs to others it needs leave all the same.
    fn decide_root(&self, same_account: bool) -> Decision {
        let needs_resource = !same_account || self.resource_type == PolicyType::RoleTrust;
        if needs_resource && !self.resource.allows() {
            return self.denied(self.resource_type, &[&self.resource]);
        }
        if let Some(denied) = self.denied_by(Limits::ALL) {
            return denied;
        }
        if needs_resource {
            self.allowed(self.resource_type, &[&self.resource], Limits::ALL)
        } else {
            self.decision(Effect::Allowed, Reason::AccountRoot, Vec::new())
        }
    }

    fn decide_same_account(&self) -> Decision {
        let trust = self.resource_type == PolicyType::RoleTrust;
        if trust && !self.resource.allows() {
            return self.denied(self.resource_type, &[&self.resource]);
        }
        let granted = self.resource.standing.filter(|standing| *standing > Standing::Account);
        if let Some(standing) = granted {
            // What goes to the session itself, or to the user, is not cut down by an implicit deny elsewhere. A trust
            // policy is: there the guide wants the permissions boundary of a trusted user to allow sts:AssumeRole.
            let limits = Limits {
                boundary: trust || standing < Standing::User,
                session: trust || standing < Standing::Itself,
            };
            // Where these deny, an identity-based policy cannot help: the limits hold for it as well.
            return self
                .denied_by(limits)
                .unwrap_or_else(|| self.allowed(self.resource_type, &[&self.resource], limits));
        }
        if !self.identity.allows() {
            return self.denied(PolicyType::IdentityBased, &[&self.identity, &self.resource]);
        }
        let by: &[&Reading] = if trust {
            &[&self.identity, &self.resource]
        } else {
            &[&self.identity]
        };
        self.denied_by(Limits::ALL)
            .unwrap_or_else(|| self.allowed(PolicyType::IdentityBased, by, Limits::ALL))
    }

    fn decide_cross_account(&self) -> Decision {
        if !self.resource.allows() {
            return self.denied(self.resource_type, &[&self.resource]);
        }
        if !self.identity.allows() {
            return self.denied(PolicyType::IdentityBased, &[&self.identity]);
        }
        self.denied_by(Limits::ALL).unwrap_or_else(|| {
            self.allowed(
                PolicyType::IdentityBased,
                &[&self.identity, &self.resource],
                Limits::ALL,
            )
        })
    }

    fn denied_by(&self, limits: Limits) -> Option<Decision> {
        self.limits(limits)
            .find(|(_, reading)| !reading.allows())
            .map(|(kind, reading)| self.denied(kind, &[reading]))
    }

    /// Those of the boundary and the session policies that exist and limit this request.
    fn limits(&self, limits: Limits) -> impl Iterator<Item = (PolicyType, &Reading)> {
        let boundary = self.boundary.as_ref().filter(|_| limits.boundary);
        let session = self.session.as_ref().filter(|_| limits.session);
        let boundary = boundary.map(|reading| (PolicyType::PermissionsBoundary, reading));
        let session = session.map(|reading| (PolicyType::Session, reading));
        boundary.into_iter().chain(session)
    }

    fn explicit_deny(&self) -> Option<PolicyType> {
        self.readings()
            .find(|(_, reading)| !reading.denies.is_empty())
            .map(|(kind, _)| kind)
    }

    fn readings(&self) -> impl Iterator<Item = (PolicyType, &Reading)> {
        [
            (PolicyType::IdentityBased, Some(&self.identity)),
            (self.resource_type, Some(&self.resource)),
            (PolicyType::PermissionsBoundary, self.boundary.as_ref()),
            (PolicyType::Session, self.session.as_ref()),
        ]
        .into_iter()
        .filter_map(|(kind, reading)| Some((kind, reading?)))
    }

    /// Allowed by these and by what limits them.
    fn allowed(&self, kind: PolicyType, by: &[&Reading], limits: Limits) -> Decision {
        let limits = self.limits(limits).map(|(_, reading)| reading);
        let statements = by
            .iter()
            .copied()
            .chain(limits)
            .flat_map(|reading| reading.allows.clone())
            .collect();
        self.decision(Effect::Allowed, Reason::Allows(kind), statements)
    }

    /// Denied because none of these allows; the first is the one that had to.
    fn denied(&self, kind: PolicyType, by: &[&Reading]) -> Decision {
        let mut decision = self.decision(Effect::ImplicitDeny, Reason::NoneAllows(kind), Vec::new());
        for reading in by {
            decision.considered.extend(reading.considered.iter().cloned());
            decision.near_misses.extend(reading.misses.iter().cloned());
            let account = self.request.principal.account().unwrap_or_default();
            decision
                .near_misses
                .extend(reading.by_account.iter().map(|statement| NearMiss {
                    statement: statement.clone(),
                    mismatches: vec![Mismatch::OnlyAccount {
                        account: account.to_owned(),
                    }],
                }));
        }
        decision.near_misses.sort_by_key(|miss| miss.mismatches.len());
        decision
    }

    fn decision(&self, effect: Effect, reason: Reason, statements: Vec<StatementRef>) -> Decision {
        Decision {
            principal: self.request.principal.arn(),
            action: self.request.action.to_owned(),
            resource: self.request.resource.to_owned(),
            effect,
            reason,
            statements,
            near_misses: Vec::new(),
            considered: Vec::new(),
        }
    }
}
