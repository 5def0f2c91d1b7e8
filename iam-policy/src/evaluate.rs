//! How the policies that apply to a request combine.
//!
//! Source: "Policy evaluation logic" of the IAM User Guide, with its pages on single-account and cross-account
//! evaluation and on permissions boundaries.

use crate::context::{Context, View};
use crate::decision::{Decision, Effect, Mismatch, NearMiss, PolicyType, Reason, StatementRef};
use crate::error::EvaluateError;
use crate::policy::{Policy, PolicyKind};
use crate::principal::Principal;
use crate::principal_element::Standing;
use crate::statement::{Answer, Question, Verb};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The action: `s3:ListAllMyBuckets`.
    pub action: &'a str,
    /// The ARN of the resource, or `*` for actions that have none.
    pub resource: &'a str,
    /// The account that the resource belongs to, twelve digits. (An S3 ARN does not tell.)
    pub resource_account: &'a str,
    /// The condition keys.
    pub context: &'a Context,
}

/// A policy with the name by which decisions speak of it.
#[derive(Clone, Debug)]
pub struct Attached<'a> {
    /// For a person: `managed policy AmazonS3ReadOnlyAccess`, `inline policy list`, `trust policy`.
    pub name: String,
    /// The policy.
    pub policy: &'a Policy,
}

/// All policies that apply to a request.
#[derive(Clone, Debug, Default)]
pub struct Policies<'a> {
    /// Of the caller: inline, managed and of its groups ([`PolicyKind::Identity`]).
    pub identity: Vec<Attached<'a>>,
    /// The permissions boundary of the caller ([`PolicyKind::Identity`]).
    pub boundary: Option<Attached<'a>>,
    /// The session policies of the caller ([`PolicyKind::Identity`]). Several together allow what one of them allows;
    /// none at all limit nothing.
    pub session: Vec<Attached<'a>>,
    /// The policy of the resource ([`PolicyKind::Resource`]), or the trust policy of the role to be assumed
    /// ([`PolicyKind::Trust`]).
    pub resource: Option<Attached<'a>>,
}

/// What the policies of one type say.
#[derive(Debug, Default)]
struct Reading {
    allows: Vec<StatementRef>,
    denies: Vec<StatementRef>,
    misses: Vec<NearMiss>,
    considered: Vec<String>,
    /// How the allowing statements name the caller, at best.
    standing: Option<Standing>,
    /// The allowing statements that name no more of the caller than its account.
    by_account: Vec<StatementRef>,
}

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
    check(request, policies)?;
    let view = View::new(request.context, request.principal, request.resource_account);
    let question = Question {
        principal: request.principal,
        action: request.action,
        resource: request.resource,
        view: &view,
    };
    let boundary = policies.boundary.as_slice();
    let resource = policies.resource.as_slice();
    let trust = resource.iter().any(|attached| attached.policy.kind() == PolicyKind::Trust);
    Ok(Evaluation {
        request,
        identity: Reading::of(&policies.identity, &question)?,
        boundary: limit(boundary, &question)?,
        session: limit(&policies.session, &question)?,
        resource: Reading::of(resource, &question)?,
        resource_type: if trust { PolicyType::RoleTrust } else { PolicyType::ResourceBased },
    }
    .decide())
}

fn limit(attached: &[Attached<'_>], question: &Question<'_>) -> Result<Option<Reading>, EvaluateError> {
    if attached.is_empty() { Ok(None) } else { Reading::of(attached, question).map(Some) }
}

fn check(request: &Request<'_>, policies: &Policies<'_>) -> Result<(), EvaluateError> {
    let name = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !request.action.split_once(':').is_some_and(|(vendor, action)| name(vendor) && name(action)) {
        return Err(EvaluateError::MalformedAction(request.action.to_owned()));
    }
    if !request.principal.is_well_formed() {
        let arn = match request.principal {
            Principal::AssumedRole { role_arn, .. } => role_arn.clone(),
            other => other.arn(),
        };
        return Err(EvaluateError::MalformedPrincipal(arn));
    }
    let identity = policies.identity.iter().map(|attached| (attached, "an identity-based policy"));
    let boundary = policies.boundary.iter().map(|attached| (attached, "a permissions boundary"));
    let session = policies.session.iter().map(|attached| (attached, "a session policy"));
    for (attached, place) in identity.chain(boundary).chain(session) {
        if attached.policy.kind() != PolicyKind::Identity {
            return Err(wrong_kind(attached, place));
        }
    }
    if let Some(attached) = &policies.resource
        && attached.policy.kind() == PolicyKind::Identity
    {
        return Err(wrong_kind(attached, "the policy of the resource"));
    }
    let trusted = policies.resource.as_ref().is_some_and(|attached| attached.policy.kind() == PolicyKind::Trust);
    if request.action.eq_ignore_ascii_case("sts:AssumeRole") && !trusted {
        return Err(EvaluateError::TrustPolicyMissing { action: request.action.to_owned() });
    }
    Ok(())
}

fn wrong_kind(attached: &Attached<'_>, place: &'static str) -> EvaluateError {
    EvaluateError::WrongKind { name: attached.name.clone(), place, kind: attached.policy.kind() }
}

// === impl Reading ===

impl Reading {
    fn of(attached: &[Attached<'_>], question: &Question<'_>) -> Result<Self, EvaluateError> {
        let mut reading = Self::default();
        for Attached { name, policy } in attached {
            reading.considered.push(name.clone());
            for (index, statement) in policy.statements().iter().enumerate() {
                for condition in statement.conditions() {
                    if let Some(value) = condition.unreadable(question.view) {
                        return Err(EvaluateError::NotAnAddress {
                            policy: name.clone(),
                            index: index + 1,
                            operator: condition.operator().to_owned(),
                            key: condition.key().to_owned(),
                            value: value.to_owned(),
                        });
                    }
                }
                let reference = || StatementRef {
                    policy: name.clone(),
                    index: index + 1,
                    sid: statement.sid().map(str::to_owned),
                    summary: statement.summary(),
                };
                match (statement.answer(question), statement.verb()) {
                    (Answer::Applies(standing), Verb::Allow) => {
                        reading.standing = reading.standing.max(standing);
                        if standing == Some(Standing::Account) {
                            reading.by_account.push(reference());
                        }
                        reading.allows.push(reference());
                    }
                    (Answer::Applies(_), Verb::Deny) => reading.denies.push(reference()),
                    (Answer::Differs(mismatches), Verb::Allow) => {
                        reading.misses.push(NearMiss { statement: reference(), mismatches });
                    }
                    (Answer::Differs(_), Verb::Deny) => {}
                }
            }
        }
        Ok(reading)
    }

    fn allows(&self) -> bool {
        !self.allows.is_empty()
    }
}

// === impl Evaluation ===

impl Evaluation<'_> {
    fn decide(self) -> Decision {
        if let Some(kind) = self.explicit_deny() {
            let statements = self.readings().flat_map(|(_, reading)| reading.denies.clone()).collect();
            return self.decision(Effect::ExplicitDeny, Reason::Denies(kind), statements);
        }
        let same_account = self.request.principal.account() == Some(self.request.resource_account);
        match self.request.principal {
            Principal::Service(_) | Principal::Anonymous => {
                if self.resource.allows() {
                    self.allowed(self.resource_type, &[&self.resource])
                } else {
                    self.denied(self.resource_type, &[&self.resource])
                }
            }
            Principal::Root { .. } => self.decide_root(same_account),
            Principal::User { .. } | Principal::AssumedRole { .. } if same_account => self.decide_same_account(),
            Principal::User { .. } | Principal::AssumedRole { .. } => self.decide_cross_account(),
        }
    }

    /// The root user needs no identity-based policy. Of roles and of what belongs to others it needs leave all the same.
    fn decide_root(&self, same_account: bool) -> Decision {
        let needs_resource = !same_account || self.resource_type == PolicyType::RoleTrust;
        if needs_resource && !self.resource.allows() {
            return self.denied(self.resource_type, &[&self.resource]);
        }
        if let Some(denied) = self.denied_by_limits(true, true) {
            return denied;
        }
        if needs_resource {
            self.allowed(self.resource_type, &[&self.resource])
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
            let boundary_limits = trust || standing < Standing::User;
            let session_limits = trust || standing < Standing::Itself;
            return match self.denied_by_limits(boundary_limits, session_limits) {
                // An identity-based policy cannot help: the limits hold for it as well.
                Some(denied) => denied,
                None => self.allowed(self.resource_type, &[&self.resource]),
            };
        }
        if !self.identity.allows() {
            return self.denied(PolicyType::IdentityBased, &[&self.identity, &self.resource]);
        }
        match self.denied_by_limits(true, true) {
            Some(denied) => denied,
            None if trust => self.allowed(PolicyType::IdentityBased, &[&self.identity, &self.resource]),
            None => self.allowed(PolicyType::IdentityBased, &[&self.identity]),
        }
    }

    fn decide_cross_account(&self) -> Decision {
        if !self.resource.allows() {
            return self.denied(self.resource_type, &[&self.resource]);
        }
        if !self.identity.allows() {
            return self.denied(PolicyType::IdentityBased, &[&self.identity]);
        }
        match self.denied_by_limits(true, true) {
            Some(denied) => denied,
            None => self.allowed(PolicyType::IdentityBased, &[&self.identity, &self.resource]),
        }
    }

    fn denied_by_limits(&self, boundary_limits: bool, session_limits: bool) -> Option<Decision> {
        let limits = [
            (PolicyType::PermissionsBoundary, self.boundary.as_ref().filter(|_| boundary_limits)),
            (PolicyType::Session, self.session.as_ref().filter(|_| session_limits)),
        ];
        limits.into_iter().find_map(|(kind, reading)| {
            let reading = reading.filter(|reading| !reading.allows())?;
            Some(self.denied(kind, &[reading]))
        })
    }

    fn explicit_deny(&self) -> Option<PolicyType> {
        self.readings().find(|(_, reading)| !reading.denies.is_empty()).map(|(kind, _)| kind)
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

    /// Allowed by these and, where there are any, by the boundary and the session policies.
    fn allowed(&self, kind: PolicyType, by: &[&Reading]) -> Decision {
        let limits = self.boundary.iter().chain(&self.session);
        let statements = by.iter().copied().chain(limits).flat_map(|reading| reading.allows.clone()).collect();
        self.decision(Effect::Allowed, Reason::Allows(kind), statements)
    }

    /// Denied because none of these allows; the first is the one that had to.
    fn denied(&self, kind: PolicyType, by: &[&Reading]) -> Decision {
        let mut decision = self.decision(Effect::ImplicitDeny, Reason::NoneAllows(kind), Vec::new());
        for reading in by {
            decision.considered.extend(reading.considered.iter().cloned());
            decision.near_misses.extend(reading.misses.iter().cloned());
            let account = self.request.principal.account().unwrap_or_default();
            decision.near_misses.extend(reading.by_account.iter().map(|statement| NearMiss {
                statement: statement.clone(),
                mismatches: vec![Mismatch::OnlyAccount { account: account.to_owned() }],
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
