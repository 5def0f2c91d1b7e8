use std::sync::Arc;

use iam_policy::{Policy, PolicyKind};
use jiff::SignedDuration;

use super::{
    issue::{self, Issue},
    rule::Rule,
};
use crate::{
    answer::{Refusal, Xml},
    authorise::{Ask, ResourcePolicy},
    identity::{Identity, RoleSession},
    params::Params,
    services::{Call, Done},
    state::{AccountRef, Document, Role},
};

/// Seconds that a session lasts if the caller names none, and at most if a session assumed the role.
const HOUR: u32 = 3600;
/// Managed session policies of one call.
const POLICY_ARNS: usize = 10;

const SESSION_NAME: Rule = Rule {
    member: "roleSessionName",
    length: 2..=64,
    others: "_+=,.@-",
    pattern: "[\\w+=,.@-]*",
};
const EXTERNAL_ID: Rule = Rule {
    member: "externalId",
    length: 2..=1224,
    others: "_+=,.@:/-",
    pattern: "[\\w+=,.@:\\/-]*",
};

pub(super) fn assume_role(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&[
        "RoleArn",
        "RoleSessionName",
        "DurationSeconds",
        "ExternalId",
        "Policy",
        "PolicyArns",
    ])?;
    let arn = params.required("RoleArn")?;
    if !arn.starts_with("arn:aws:iam::") || !arn.contains(":role/") || arn.len() < 20 {
        return Err(Refusal::validation(format!("{arn} is invalid")));
    }
    let name = params.required("RoleSessionName")?;
    SESSION_NAME.check(name)?;
    let duration = issue::duration(params, HOUR, 43200)?;
    let external_id = params.get("ExternalId");
    if let Some(id) = external_id {
        EXTERNAL_ID.check(id)?;
    }
    let inline = params
        .get("Policy")
        .map(|text| Document::parse(PolicyKind::Identity, text))
        .transpose()?;

    let mut ask = Ask::new("sts:AssumeRole", arn)
        .without_reason()
        .context("sts:RoleSessionName", name);
    if let Some(id) = external_id {
        ask = ask.context("sts:ExternalId", id);
    }
    if matches!(call.gate.who().identity, Identity::Root) {
        let mut refusal = call.gate.deny(ask);
        refusal.message = "Roles may not be assumed by root accounts.".to_owned();
        return Err(refusal);
    }
    // An absent role is answered as a forbidden one, so that nobody learns which exist; one of an unknown account too.
    let found = call
        .state
        .account_of_arn(arn)
        .and_then(|account| Some((account, call.state.seen(account).role_by_arn(arn)?.clone())));
    let Some((account, role)) = found else {
        return Err(call.gate.deny(ask));
    };
    call.gate
        .check(call.state, ask.resource_policy(Some(trust_policy(&role))))?;

    let chained = matches!(call.gate.who().identity, Identity::Role(_));
    if chained && duration > HOUR {
        return Err(Refusal::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    if duration > role.max_session {
        return Err(Refusal::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let policies = session_policies(call, account, inline.as_ref())?;
    let packed = inline.is_some() || !policies.is_empty();
    let lasts = SignedDuration::from_secs(i64::from(duration));
    let session = RoleSession::of(&role, name);
    let credentials = Issue {
        account,
        identity: Identity::Role(Arc::new(session)),
        now: call.now,
        lasts,
        policies,
    }
    .make(&mut call.state.keys);

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
    .element("Credentials", |xml| {
        issue::write(xml, &credentials);
    });
    if packed {
        // AWS tells how much of the space for session policies is used, in percent; there is no such limit here.
        xml.text("PackedPolicySize", "1");
    }
    Ok(Some(xml))
}

/// The name (without its path) and ARN of the role that an AssumeRole asks for, for the journal.
pub(crate) fn asked_role(params: &Params) -> (Option<String>, Option<String>) {
    let arn = params.get("RoleArn").map(str::to_owned);
    let name = arn
        .as_deref()
        .and_then(|arn| arn.rsplit(['/', ':']).next())
        .map(str::to_owned);
    (name, arn)
}

pub(crate) fn trust_policy(role: &Role) -> ResourcePolicy {
    ResourcePolicy {
        name: format!("trust policy of {}", role.name),
        policy: role.trust.policy.clone(),
        since: role.trust_since,
    }
}

/// The session policies given by text and by ARN; those of the session's account and AWS's own can be named.
pub(super) fn session_policies(
    call: &Call<'_>,
    account: AccountRef,
    inline: Option<&Document>,
) -> Result<Vec<(String, Arc<Policy>)>, Refusal> {
    let arns = call.params.list("PolicyArns", "arn");
    if arns.len() > POLICY_ARNS {
        return Err(Refusal::validation(format!(
            "at most {POLICY_ARNS} PolicyArns can be given"
        )));
    }
    let mut policies = Vec::new();
    if let Some(document) = inline {
        policies.push(("session policy".to_owned(), document.policy.clone()));
    }
    for arn in arns {
        let policy = call
            .state
            .seen(account)
            .policies
            .get(arn)
            .ok_or_else(|| Refusal::new(400, "InvalidParameterValue", format!("Policy {arn} does not exist.")))?;
        policies.push((
            format!("session policy {}", policy.name),
            policy.default.document.policy.clone(),
        ));
    }
    Ok(policies)
}
