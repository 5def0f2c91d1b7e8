//! One case: a question, the policies, and the decision that AWS's documentation wants.

use std::collections::BTreeMap;

use iam_policy::{
    Attached, Context, Decision, Effect, ErrorCode, Policies, Policy, PolicyKind, Principal, Reason, Request, evaluate,
    explain,
};
use serde::Deserialize;
use serde_yaml::Value;

use crate::document;

/// The cases of one rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The page of the AWS documentation that has the rule, where a case does not name another.
    pub(crate) page: String,
    pub(crate) cases: Vec<Case>,
}

/// A case. What it leaves out is what [`Case::check`] fills in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) page: Option<String>,
    /// `user`, `session`, `root`, `federated user`, `anonymous`, `service NAME`, `provider NAME`; the first three also with
    /// `away` before them: of another account. Left out: `session`.
    caller: Option<String>,
    /// The action and the resource.
    ask: Option<String>,
    /// The account that the resource belongs to.
    owner: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, Value>,
    /// The canonical user id of the caller's account.
    canonical: Option<String>,
    /// A condition: an identity-based policy that allows everything under it.
    r#if: Option<Value>,
    identity: Option<Value>,
    boundary: Option<Value>,
    session: Option<Value>,
    resource: Option<Value>,
    trust: Option<Value>,
    /// `allowed`, or `allowed: TYPE OF POLICY`, `implicit deny: TYPE`, `explicit deny: TYPE`, `malformed: PLACE`,
    /// `unsupported: PLACE`, `error`.
    expect: String,
    /// What the explanation must say too.
    because: Option<String>,
}

/// The account of the resources and of most callers, and another.
const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";

// === impl Case ===

impl Case {
    /// Decides, and compares with what is expected. The error tells both with the explanation.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (outcome, text) = match self.decide() {
            Ok((decision, text)) => (outcome(&decision), text),
            Err(outcome) => (outcome, String::new()),
        };
        let exact = self.expect.contains(':') || self.expect == "error";
        let met = if exact {
            outcome == self.expect
        } else {
            outcome.starts_with(&self.expect)
        };
        if !met {
            return Err(format!("expected {:?}, got {outcome:?}\n{text}", self.expect));
        }
        match &self.because {
            Some(because) if !text.contains(because.as_str()) => {
                Err(format!("the explanation does not say {because:?}:\n{text}"))
            }
            _ => Ok(()),
        }
    }

    fn decide(&self) -> Result<(Decision, String), String> {
        let condition = self.r#if.as_ref().map(document::under);
        let identity = self.parse(PolicyKind::Identity, self.identity.as_ref().or(condition.as_ref()))?;
        let boundary = self.parse(PolicyKind::Identity, self.boundary.as_ref())?;
        let session = self.parse(PolicyKind::Identity, self.session.as_ref())?;
        let resource = self.parse(PolicyKind::Resource, self.resource.as_ref())?;
        let trust = self.parse(PolicyKind::Trust, self.trust.as_ref())?;
        let policies = Policies {
            identity: attach("identity", &identity),
            boundary: attach("boundary", &boundary).pop(),
            session: attach("session", &session),
            resource: attach("resource", &resource)
                .pop()
                .or_else(|| attach("trust", &trust).pop()),
        };
        let given = if self.trust.is_some() {
            "sts:AssumeRole arn:aws:iam::111122223333:role/target"
        } else {
            "s3:GetObject arn:aws:s3:::bucket/key"
        };
        let ask = self.ask.as_deref().unwrap_or(given);
        let (action, resource) = ask.split_once(' ').ok_or("ask names no resource")?;
        let mut context = Context::new();
        for (key, values) in &self.context {
            context.set_many(key, document::texts(values)?);
        }
        if let Some(id) = &self.canonical {
            context.set_canonical_user(id);
        }
        let request = Request {
            principal: &caller(self.caller.as_deref().unwrap_or("session"))?,
            action,
            resource,
            resource_account: self.owner.as_deref().unwrap_or(HOME),
            context: &context,
        };
        let explanation = explain(&request, &policies).map_err(|_| "error".to_owned())?;
        let text = explanation.to_string();
        let consulted = policies.identity.iter().chain(&policies.boundary);
        let mut consulted = consulted.chain(&policies.session).chain(&policies.resource);
        if !consulted.any(|attached| attached.policy.reads_context()) {
            let nothing = Context::new();
            let without = Request {
                context: &nothing,
                ..request
            };
            if evaluate(&without, &policies).as_ref() != Ok(&explanation.decision) {
                return Err("it depends on a context that no policy reads".to_owned());
            }
        }
        Ok((explanation.decision, text))
    }

    fn parse(&self, kind: PolicyKind, documents: Option<&Value>) -> Result<Vec<Policy>, String> {
        let Some(documents) = documents else {
            return Ok(Vec::new());
        };
        let texts = document::documents(documents)?;
        let policies = texts.iter().map(|text| {
            Policy::parse(kind, text).map_err(|error| match error.code() {
                ErrorCode::Malformed => format!("malformed: {}", error.place()),
                ErrorCode::Unsupported => format!("unsupported: {}", error.place()),
            })
        });
        policies.collect()
    }
}

fn attach<'p>(name: &str, policies: &'p [Policy]) -> Vec<Attached<'p>> {
    let named = |(index, policy)| Attached {
        name: format!("{name} {}", index + 1),
        policy,
    };
    policies.iter().enumerate().map(named).collect()
}

fn caller(text: &str) -> Result<Principal, String> {
    let (account, kind) = text.strip_prefix("away ").map_or((HOME, text), |kind| (AWAY, kind));
    let user = format!("arn:aws:iam::{account}:user/staff/alice");
    Ok(match kind {
        "user" => Principal::User { arn: user },
        "session" => Principal::AssumedRole {
            role_arn: format!("arn:aws:iam::{account}:role/app/reader"),
            session_name: "pod".to_owned(),
        },
        "root" => Principal::Root {
            account: account.to_owned(),
        },
        "federated user" => Principal::FederatedUser {
            account: account.to_owned(),
            user_arn: Some(user),
            name: "carol".to_owned(),
        },
        "anonymous" => Principal::Anonymous,
        other => match other.split_once(' ') {
            Some(("service", name)) => Principal::Service(name.to_owned()),
            Some(("provider", name)) => Principal::Federated {
                provider: name.to_owned(),
            },
            _ => return Err(format!("no caller is called {text:?}")),
        },
    })
}

fn outcome(decision: &Decision) -> String {
    match (decision.effect, decision.reason) {
        (Effect::Allowed, Reason::Allows(kind)) => format!("allowed: {kind}"),
        (Effect::ImplicitDeny, Reason::NoneAllows(kind)) => format!("implicit deny: {kind}"),
        (Effect::ExplicitDeny, Reason::Denies(kind)) => format!("explicit deny: {kind}"),
        (Effect::Allowed, Reason::AccountRoot) => "allowed: root user".to_owned(),
        (effect, reason) => format!("{effect:?} does not go with {reason:?}"),
    }
}
