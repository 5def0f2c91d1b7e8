use std::sync::Arc;

use iam_policy::{Policy, PolicyKind};
use jiff::SignedDuration;

use super::{
    issue::{self, Issue},
    rule::Rule,
};
use crate::{
    answer::{Refusal, Xml},
    authorise::ResourcePolicy,
    identity::{Identity, RoleSession, SessionTags},
    params::Params,
    services::Call,
    state::{AccountRef, Document, Role, State},
};

/// Seconds that a session lasts if the caller names none, and at most if a session assumed the role.
pub(super) const HOUR: u32 = 3600;
/// Managed session policies of one call.
const POLICY_ARNS: usize = 10;
/// Characters of an inline session policy.
const POLICY: usize = 2048;
/// AWS packs session policies and tags in a form that it does not publish, and limits that. Here their characters count.
const PACKED: usize = 4096;

const SESSION_NAME: Rule = Rule {
    member: "roleSessionName",
    length: 2..=64,
    others: "_+=,.@-",
    pattern: "[\\w+=,.@-]*",
};

/// What every kind of AssumeRole asks for.
pub(super) struct Asked<'a> {
    pub(super) arn: &'a str,
    pub(super) name: &'a str,
    duration: u32,
    inline: Option<Document>,
}

/// Session policies and tags, limited together.
pub(super) struct Packed {
    pub(super) policies: Vec<(String, Arc<Policy>)>,
    /// How much of the space they take, in percent; none without any.
    pub(super) percent: Option<usize>,
}

// === impl Asked ===

impl<'a> Asked<'a> {
    /// `RoleArn`, `RoleSessionName`, `DurationSeconds` and `Policy`.
    pub(super) fn of(params: &'a Params) -> Result<Self, Refusal> {
        let arn = params.required("RoleArn")?;
        if !arn.starts_with("arn:aws:iam::") || !arn.contains(":role/") || arn.len() < 20 {
            return Err(Refusal::validation(format!("{arn} is invalid")));
        }
        let name = params.required("RoleSessionName")?;
        SESSION_NAME.check(name)?;
        Ok(Self {
            arn,
            name,
            duration: issue::duration(params, HOUR, 43200)?,
            inline: inline_policy(params)?,
        })
    }

    /// The role with its account, as it is seen by now.
    pub(super) fn role(&self, state: &State) -> Option<(AccountRef, Role)> {
        let account = state.account_of_arn(self.arn)?;
        Some((account, state.seen(account).role_by_arn(self.arn)?.clone()))
    }

    /// Makes the session of a role that may be assumed, and writes `AssumedRoleUser`, `Credentials` and what else there is
    /// of it.
    ///
    /// # Errors
    /// It is to last longer than it may, or its policies and tags are not such.
    pub(super) fn issue(
        &self,
        call: &mut Call<'_>,
        (account, role): (AccountRef, Role),
        provider: Option<String>,
        tags: SessionTags,
    ) -> Result<Xml, Refusal> {
        if matches!(call.gate.who().identity, Identity::Role(_)) && provider.is_none() && self.duration > HOUR {
            return Err(Refusal::validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            ));
        }
        if self.duration > role.max_session {
            return Err(Refusal::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        let packed = Packed::of(call, account, self.inline.as_ref(), &tags)?;
        let source_identity = tags.source_identity.clone();
        let session = RoleSession {
            provider,
            tags,
            ..RoleSession::of(&role, self.name)
        };
        let credentials = Issue {
            account,
            identity: Identity::Role(Arc::new(session)),
            now: call.now,
            lasts: SignedDuration::from_secs(i64::from(self.duration)),
            policies: packed.policies,
        }
        .make(&mut call.state.keys);

        let name = self.name;
        let mut xml = Xml::new();
        xml.element("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", &format!("{}:{name}", role.id)).text(
                "Arn",
                &format!(
                    "arn:aws:sts::{}:assumed-role/{}/{name}",
                    call.state[account].account, role.name
                ),
            );
        })
        .element("Credentials", |xml| issue::write(xml, &credentials));
        if let Some(percent) = packed.percent {
            xml.text("PackedPolicySize", &percent.to_string());
        }
        xml.optional("SourceIdentity", source_identity.as_deref());
        Ok(xml)
    }
}

pub(crate) fn trust_policy(role: &Role) -> ResourcePolicy {
    ResourcePolicy {
        name: format!("trust policy of {}", role.name),
        policy: role.trust.policy.clone(),
        since: role.trust_since,
    }
}

/// `Policy`, a session policy as a text.
pub(super) fn inline_policy(params: &Params) -> Result<Option<Document>, Refusal> {
    let Some(text) = params.get("Policy") else {
        return Ok(None);
    };
    if text.chars().count() > POLICY {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less \
             than or equal to {POLICY}"
        )));
    }
    Document::parse(PolicyKind::Identity, text).map(Some)
}

// === impl Packed ===

impl Packed {
    /// The session policies given by text and by ARN (those of the session's account and AWS's own can be named), with the
    /// session's tags.
    pub(super) fn of(
        call: &Call<'_>,
        account: AccountRef,
        inline: Option<&Document>,
        tags: &SessionTags,
    ) -> Result<Self, Refusal> {
        let arns = call.params.list("PolicyArns", "arn");
        if arns.len() > POLICY_ARNS {
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length \
                 less than or equal to {POLICY_ARNS}"
            )));
        }
        let mut policies = Vec::new();
        let mut size = 0;
        if let Some(document) = inline {
            policies.push(("session policy".to_owned(), document.policy.clone()));
            size += document.text.chars().filter(|c| !c.is_whitespace()).count();
        }
        for arn in arns {
            let policy =
                call.state.seen(account).policies.get(arn).ok_or_else(|| {
                    Refusal::new(400, "InvalidParameterValue", format!("Policy {arn} does not exist."))
                })?;
            policies.push((
                format!("session policy {}", policy.name),
                policy.default.document.policy.clone(),
            ));
            size += arn.len();
        }
        size += tags
            .tags
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum::<usize>();
        let percent = (size > 0).then(|| (size * 100).div_ceil(PACKED));
        match percent {
            Some(percent) if percent > 100 => Err(Refusal::new(
                400,
                "PackedPolicyTooLarge",
                format!("Packed policy consumes {percent}% of allotted space, please use smaller policy."),
            )),
            percent => Ok(Self { policies, percent }),
        }
    }
}
