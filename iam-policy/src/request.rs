//! What the evaluator is asked, and what it may be asked.

use crate::context::Context;
use crate::error::EvaluateError;
use crate::policy::{Policy, PolicyKind};
use crate::principal::Principal;

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

// === impl Policies ===

impl Policies<'_> {
    /// Whether the policy of the resource is a trust policy.
    pub(crate) fn have_trust(&self) -> bool {
        self.resource
            .as_ref()
            .is_some_and(|attached| attached.policy.kind() == PolicyKind::Trust)
    }

    /// Whether the question makes sense.
    pub(crate) fn check(&self, request: &Request<'_>) -> Result<(), EvaluateError> {
        let name =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !request
            .action
            .split_once(':')
            .is_some_and(|(vendor, action)| name(vendor) && name(action))
        {
            return Err(EvaluateError::MalformedAction(request.action.to_owned()));
        }
        if !request.principal.is_well_formed() {
            let arn = match request.principal {
                Principal::AssumedRole { role_arn, .. } => role_arn.clone(),
                other => other.arn(),
            };
            return Err(EvaluateError::MalformedPrincipal(arn));
        }
        let identity = self
            .identity
            .iter()
            .map(|attached| (attached, "an identity-based policy"));
        let boundary = self
            .boundary
            .iter()
            .map(|attached| (attached, "a permissions boundary"));
        let session = self.session.iter().map(|attached| (attached, "a session policy"));
        for (attached, place) in identity.chain(boundary).chain(session) {
            if attached.policy.kind() != PolicyKind::Identity {
                return Err(wrong_kind(attached, place));
            }
        }
        if let Some(attached) = &self.resource
            && attached.policy.kind() == PolicyKind::Identity
        {
            return Err(wrong_kind(attached, "the policy of the resource"));
        }
        let assumes = [
            "sts:AssumeRole",
            "sts:AssumeRoleWithSAML",
            "sts:AssumeRoleWithWebIdentity",
        ];
        if !self.have_trust() && assumes.iter().any(|action| action.eq_ignore_ascii_case(request.action)) {
            return Err(EvaluateError::TrustPolicyMissing {
                action: request.action.to_owned(),
            });
        }
        Ok(())
    }
}

fn wrong_kind(attached: &Attached<'_>, place: &'static str) -> EvaluateError {
    EvaluateError::WrongKind {
        name: attached.name.clone(),
        place,
        kind: attached.policy.kind(),
    }
}
