//! How the policies that apply to a request combine.
//!
//! Source: "Policy evaluation logic" of the IAM User Guide, with its pages on single-account and cross-account
//! evaluation and on permissions boundaries.

use crate::context::View;
use crate::decision::{Decision, Effect, Mismatch, PolicyType, Reason, Rule, StatementRef};
use crate::error::EvaluateError;
use crate::explain::{self, Explanation};
use crate::matcher::AskedAction;
use crate::nearest::{NEAR_MISSES, Nearest};
use crate::principal::Principal;
use crate::principal_element::Standing;
use crate::reading::{Found, Reading};
use crate::request::{Policies, Request};
use crate::statement::Question;

/// The question and all answers to it.
#[derive(Debug)]
struct Evaluation<'a> {
    request: &'a Request<'a>,
    question: Question<'a>,
    identity: Reading<'a>,
    /// None: no such policy, and so no limit.
    boundary: Option<Reading<'a>>,
    session: Option<Reading<'a>>,
    resource: Reading<'a>,
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
/// the session itself, or picks it from `*` by `aws:PrincipalArn`, is not limited by either, and one that names the user is
/// not limited by the boundary. A federated user without session policies may only what names it so. Trust policies are
/// stricter: without one that allows nobody assumes the role, and they are always limited. Services, users of identity
/// providers and anonymous callers need the resource's policy alone. The root user may do everything in its own account.
///
/// # Errors
/// When the question makes no sense (see [`EvaluateError`]): treat it as a fault of yours and let nothing pass.
pub fn evaluate(request: &Request<'_>, policies: &Policies<'_>) -> Result<Decision, EvaluateError> {
    with_evaluation(request, policies, |evaluation| evaluation.decide())
}

/// Decides a request as [`evaluate`] does, and tells of every statement of every policy what it says and why.
///
/// # Errors
/// As [`evaluate`].
pub fn explain(request: &Request<'_>, policies: &Policies<'_>) -> Result<Explanation, EvaluateError> {
    with_evaluation(request, policies, |evaluation| {
        let readings = evaluation.readings().map(|(_, reading)| reading);
        explain::explain(request, &evaluation.question, evaluation.decide(), readings)
    })
}

fn with_evaluation<T>(
    request: &Request<'_>,
    policies: &Policies<'_>,
    then: impl FnOnce(&Evaluation<'_>) -> T,
) -> Result<T, EvaluateError> {
    policies.check(request)?;
    let view = View::new(request.context, request.principal, request.resource_account);
    let (arn, action) = (request.principal.arn(), request.action.to_ascii_lowercase());
    let question = Question {
        principal: request.principal,
        arn: &arn,
        bounded: policies.boundary.is_some(),
        action: request.action,
        asked: AskedAction::of(&action),
        resource: request.resource,
        view: &view,
    };
    let resource_type = if policies.have_trust() {
        PolicyType::RoleTrust
    } else {
        PolicyType::ResourceBased
    };
    let read = |kind, attached| Reading::of(kind, attached, &question);
    let boundary = policies.boundary.as_slice();
    // Without session policies a federated user has nothing of the user's, while a role session has all of the role's.
    let limited = !policies.session.is_empty() || matches!(request.principal, Principal::FederatedUser { .. });
    let evaluation = Evaluation {
        request,
        question,
        identity: read(PolicyType::IdentityBased, &policies.identity)?,
        boundary: match boundary {
            [] => None,
            boundary => Some(read(PolicyType::PermissionsBoundary, boundary)?),
        },
        session: if limited {
            Some(read(PolicyType::Session, &policies.session)?)
        } else {
            None
        },
        resource: read(resource_type, policies.resource.as_slice())?,
    };
    Ok(then(&evaluation))
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
    fn decide(&self) -> Decision {
        if let Some(kind) = self.explicit_deny() {
            let statements = self
                .readings()
                .flat_map(|(_, reading)| reading.denies.iter().map(Found::reference))
                .collect();
            return self.decision(
                Effect::ExplicitDeny,
                Reason::Denies(kind),
                Rule::ExplicitDeny,
                statements,
            );
        }
        let same_account = self.request.principal.account() == Some(self.request.resource_account);
        match self.request.principal {
            Principal::Service(_) | Principal::Federated { .. } | Principal::Anonymous => {
                let rule = Rule::ResourcePolicyAlone;
                if self.resource.allows() {
                    self.allowed(rule, self.resource.kind, &[&self.resource], Limits::NONE)
                } else {
                    self.denied(rule, &self.resource, &[&self.resource])
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
        let rule = Rule::RootUser;
        let needs_resource = !same_account || self.is_trust();
        if needs_resource && !self.resource.allows() {
            return self.denied(rule, &self.resource, &[&self.resource]);
        }
        if let Some(denied) = self.denied_by(rule, Limits::ALL) {
            return denied;
        }
        if needs_resource {
            self.allowed(rule, self.resource.kind, &[&self.resource], Limits::ALL)
        } else {
            self.decision(Effect::Allowed, Reason::AccountRoot, rule, Vec::new())
        }
    }

    fn decide_same_account(&self) -> Decision {
        let trust = self.is_trust();
        if trust && !self.resource.allows() {
            return self.denied(Rule::TrustRequired, &self.resource, &[&self.resource]);
        }
        let granted = self.resource.standing.filter(|standing| *standing > Standing::Account);
        if let Some(standing) = granted {
            // What goes to the session itself, or to the user, is not cut down by an implicit deny elsewhere. A trust
            // policy is: there the guide wants the permissions boundary of a trusted user to allow sts:AssumeRole.
            let limits = Limits {
                boundary: trust || standing < Standing::User,
                session: trust || standing < Standing::Itself,
            };
            let rule = match standing {
                _ if trust => Rule::TrustNamesCaller,
                Standing::Account | Standing::Everyone | Standing::Origin => Rule::NamedWithinLimits,
                Standing::User | Standing::Itself => Rule::NamedDirectly,
            };
            // Where these deny, an identity-based policy cannot help: the limits hold for it as well.
            return self
                .denied_by(rule, limits)
                .unwrap_or_else(|| self.allowed(rule, self.resource.kind, &[&self.resource], limits));
        }
        let rule = match (trust, self.resource.allows()) {
            (true, _) => Rule::TrustDelegates,
            (false, true) => Rule::AccountDelegates,
            (false, false) => Rule::SameAccount,
        };
        if !self.identity.allows() {
            return self.denied(rule, &self.identity, &[&self.identity, &self.resource]);
        }
        let by: &[&Reading<'_>] = if trust {
            &[&self.identity, &self.resource]
        } else {
            &[&self.identity]
        };
        self.denied_by(rule, Limits::ALL)
            .unwrap_or_else(|| self.allowed(rule, PolicyType::IdentityBased, by, Limits::ALL))
    }

    fn decide_cross_account(&self) -> Decision {
        let rule = Rule::CrossAccount;
        if !self.resource.allows() {
            return self.denied(rule, &self.resource, &[&self.resource]);
        }
        if !self.identity.allows() {
            return self.denied(rule, &self.identity, &[&self.identity]);
        }
        let by = [&self.identity, &self.resource];
        self.denied_by(rule, Limits::ALL)
            .unwrap_or_else(|| self.allowed(rule, PolicyType::IdentityBased, &by, Limits::ALL))
    }

    fn is_trust(&self) -> bool {
        self.resource.kind == PolicyType::RoleTrust
    }

    fn denied_by(&self, rule: Rule, limits: Limits) -> Option<Decision> {
        self.limits(limits)
            .find(|reading| !reading.allows())
            .map(|reading| self.denied(rule, reading, &[reading]))
    }

    /// Those of the boundary and the session policies that exist and limit this request.
    fn limits(&self, limits: Limits) -> impl Iterator<Item = &Reading<'_>> {
        let boundary = self.boundary.as_ref().filter(|_| limits.boundary);
        let session = self.session.as_ref().filter(|_| limits.session);
        boundary.into_iter().chain(session)
    }

    fn explicit_deny(&self) -> Option<PolicyType> {
        self.readings()
            .find(|(_, reading)| !reading.denies.is_empty())
            .map(|(kind, _)| kind)
    }

    fn readings(&self) -> impl Iterator<Item = (PolicyType, &Reading<'_>)> {
        [
            Some(&self.identity),
            Some(&self.resource),
            self.boundary.as_ref(),
            self.session.as_ref(),
        ]
        .into_iter()
        .flatten()
        .map(|reading| (reading.kind, reading))
    }

    /// Allowed by these and by what limits them.
    fn allowed(&self, rule: Rule, kind: PolicyType, by: &[&Reading<'_>], limits: Limits) -> Decision {
        let statements = by
            .iter()
            .copied()
            .chain(self.limits(limits))
            .flat_map(|reading| reading.allows.iter().map(Found::reference))
            .collect();
        self.decision(Effect::Allowed, Reason::Allows(kind), rule, statements)
    }

    /// Denied because `needed`, one of these, does not allow.
    fn denied(&self, rule: Rule, needed: &Reading<'_>, by: &[&Reading<'_>]) -> Decision {
        let reason = Reason::NoneAllows(needed.kind);
        let mut decision = self.decision(Effect::ImplicitDeny, reason, rule, Vec::new());
        let account = self.request.principal.account().unwrap_or_default();
        let mut nearest = Nearest::default();
        let mut all = 0;
        for reading in by {
            decision.considered.extend(reading.names());
            let by_account = reading.by_account().map(|found| (1, *found));
            nearest.add(reading.misses(&self.question).chain(by_account));
            all += reading.differing();
        }
        let mut nearest = nearest.found();
        for reading in by {
            let (count, others) = reading.others(&self.question);
            all += count;
            nearest.extend(others.take(NEAR_MISSES.saturating_sub(nearest.len())));
        }
        let nearest = nearest.iter().map(|found| {
            let mut miss = found.near_miss(&self.question);
            if miss.mismatches.is_empty() {
                miss.mismatches.push(Mismatch::OnlyAccount {
                    account: account.to_owned(),
                });
            }
            miss
        });
        decision.near_misses = nearest.collect();
        decision.omitted = all - decision.near_misses.len();
        decision
    }

    fn decision(&self, effect: Effect, reason: Reason, rule: Rule, statements: Vec<StatementRef>) -> Decision {
        let consulted = self.readings().flat_map(|(_, reading)| reading.consulted());
        Decision {
            principal: self.question.arn.to_owned(),
            action: self.request.action.to_owned(),
            resource: self.request.resource.to_owned(),
            effect,
            reason,
            rule,
            statements,
            near_misses: Vec::new(),
            omitted: 0,
            considered: Vec::new(),
            consulted: consulted.collect(),
        }
    }
}
