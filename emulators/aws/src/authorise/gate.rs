use std::{borrow::Cow, cell::OnceCell};

use iam_policy::{Context, Decision, Request, evaluate};

use super::{Ask, Circumstances, gather::Gathered};
use crate::{
    answer::Refusal,
    decision::{Attachment, Verdict},
    front::Enforcement,
    identity::{Identity, Who},
    service::Service,
    state::State,
};

/// Decides for one request, and remembers what it decided. An operation that never asked is not let out
/// ([`Gate::into_made`]).
#[derive(Debug)]
pub(crate) struct Gate {
    circumstances: Circumstances,
    who: Who,
    service: Service,
    enforcement: Enforcement,
    /// What every question has, made for the first policy that looks at it.
    context: OnceCell<Context>,
    made: Option<Made>,
}

/// What was decided about a request.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) verdict: Verdict,
    pub(crate) decision: Option<Decision>,
    pub(crate) attached: Option<Attachment>,
}

// === impl Gate ===

impl Gate {
    pub(crate) fn new(circumstances: Circumstances, who: Who, service: Service, enforcement: Enforcement) -> Self {
        Self {
            circumstances,
            who,
            service,
            enforcement,
            context: OnceCell::new(),
            made: None,
        }
    }

    pub(crate) fn who(&self) -> &Who {
        &self.who
    }

    /// The first decision of the request, or the one that refused it.
    pub(crate) fn into_made(self) -> Option<Made> {
        self.made
    }

    /// Asks the policies.
    ///
    /// # Errors
    /// The service's denial if they do not allow it, or an internal error if they cannot be evaluated: nothing is allowed
    /// by a policy that was not understood, with enforcement off neither.
    pub(crate) fn check(&mut self, state: &State, ask: Ask) -> Result<(), Refusal> {
        // Who is anonymous has no account; whatever it asks for belongs to another.
        let own = &state[self.who.account.unwrap_or(state.main())].account;
        let owner = ask.resource_account.as_ref().unwrap_or(own);
        let principal = ask
            .principal
            .clone()
            .unwrap_or_else(|| self.who.identity.principal(own));
        let (decision, attached) = {
            let gathered = Gathered::new(state, &self.who, &ask);
            let context = if gathered.read_context {
                self.context_of(&ask, state)
            } else {
                Cow::Owned(Context::new())
            };
            let request = Request {
                principal: &principal,
                action: &ask.action,
                resource: &ask.resource,
                resource_account: owner,
                context: &context,
            };
            let decision = evaluate(&request, &gathered.policies).map_err(|error| {
                Refusal::internal(
                    &self.service,
                    format!(
                        "Rolecall could not evaluate {} on {}: {error}",
                        ask.action, ask.resource
                    ),
                )
            })?;
            let deciding = decision.statements.first().map(|statement| statement.policy.clone());
            let attached = deciding.and_then(|policy| {
                let at = gathered
                    .since
                    .iter()
                    .find(|(name, _)| *name == policy)
                    .map(|(_, at)| *at)?;
                Some(Attachment { policy, at })
            });
            (decision, attached)
        };
        let verdict = match (decision.is_allowed(), self.enforcement) {
            (true, _) => Verdict::Allowed,
            (false, Enforcement::On) => Verdict::Denied,
            (false, Enforcement::Off) => Verdict::LetThrough,
        };
        let refusal = (verdict == Verdict::Denied).then(|| {
            let clause = decision.reason.clause(&ask.action);
            self.denial(&ask, clause, owner == own)
        });
        self.note(ask, verdict, Some(decision), attached);
        refusal.map_or(Ok(()), Err)
    }

    fn context_of(&self, ask: &Ask, state: &State) -> Cow<'_, Context> {
        let common = self
            .context
            .get_or_init(|| self.circumstances.context(&self.who, state));
        if ask.context.is_empty() {
            return Cow::Borrowed(common);
        }
        let mut own = common.clone();
        for (key, values) in &ask.context {
            own.set_many(key, values);
        }
        Cow::Owned(own)
    }

    /// Refuses without asking any policy, because there is nothing to ask: the role does not exist.
    pub(crate) fn deny(&mut self, ask: Ask) -> Refusal {
        let refusal = self.denial(&ask, None, true);
        self.note(ask, Verdict::Denied, None, None);
        refusal
    }

    /// Notes an operation that everybody with valid credentials may do.
    pub(crate) fn needs_no_permission(&mut self, action: &str) {
        self.note(Ask::new(action, "*"), Verdict::Allowed, None, None);
    }

    /// Keeps the first decision, but a worse one replaces it.
    fn note(&mut self, ask: Ask, verdict: Verdict, decision: Option<Decision>, attached: Option<Attachment>) {
        let worse = match &self.made {
            None => true,
            Some(made) => made.verdict == Verdict::Allowed && verdict != Verdict::Allowed || verdict == Verdict::Denied,
        };
        if worse {
            self.made = Some(Made {
                action: ask.action,
                resource: ask.resource,
                verdict,
                decision,
                attached,
            });
        }
    }

    /// S3 tells a stranger nothing of what belongs to another account (S3 User Guide, "Troubleshoot access denied").
    fn denial(&self, ask: &Ask, clause: Option<String>, own: bool) -> Refusal {
        let code = match self.service {
            Service::Es | Service::Other { json: true, .. } => "AccessDeniedException",
            Service::Ec2 => "UnauthorizedOperation",
            _ => "AccessDenied",
        };
        if matches!(self.who.identity, Identity::Anonymous) || (self.service == Service::S3 && !own) {
            return Refusal::new(403, code, "Access Denied");
        }
        let mut message = String::new();
        if self.service == Service::Ec2 {
            message.push_str("You are not authorized to perform this operation. ");
        }
        message.push_str(&format!(
            "User: {} is not authorized to perform: {}",
            self.who.arn(),
            ask.action
        ));
        let shown = ask.shown.as_ref().unwrap_or(&ask.resource);
        if !shown.is_empty() {
            // S3 puts the ARN in quotes, the others do not.
            let quote = if self.service == Service::S3 { "\"" } else { "" };
            message.push_str(&format!(" on resource: {quote}{shown}{quote}"));
        }
        if let Some(clause) = clause.filter(|_| ask.because) {
            message.push(' ');
            message.push_str(&clause);
        }
        Refusal::new(403, code, message)
    }
}
