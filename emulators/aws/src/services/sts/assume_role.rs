use super::{
    role_session::{Asked, trust_policy},
    rule::Rule,
};
use crate::{
    answer::Refusal,
    authorise::Ask,
    identity::{Identity, SessionTags},
    params::Params,
    services::{Call, Done, tags},
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
        "Tags",
        "TransitiveTagKeys",
        "SourceIdentity",
        "SerialNumber",
        "TokenCode",
    ])?;
    let asked = Asked::of(params)?;
    let external_id = params.get("ExternalId");
    if let Some(id) = external_id {
        EXTERNAL_ID.check(id)?;
    }
    let passed = SessionTags::read(params)?.inherit(&call.gate.who().identity)?;
    no_mfa(params)?;
    let question = |action: &str| {
        let ask = Ask::new(action, asked.arn)
            .without_reason()
            .context("sts:RoleSessionName", asked.name);
        let ask = passed.requested(ask);
        match external_id {
            Some(id) => ask.context("sts:ExternalId", id),
            None => ask,
        }
    };
    if matches!(call.gate.who().identity, Identity::Root) {
        let mut refusal = call.gate.deny(question("sts:AssumeRole"));
        refusal.message = "Roles may not be assumed by root accounts.".to_owned();
        return Err(refusal);
    }
    // An absent role is answered as a forbidden one, so that nobody learns which exist; one of an unknown account too.
    let Some((account, role)) = asked.role(call.state) else {
        return Err(call.gate.deny(question("sts:AssumeRole")));
    };
    let of_role = |action: &str| {
        let trust = trust_policy(&role);
        tags::of_resource(question(action), &role.tags).resource_policy(Some(trust))
    };
    call.gate.check(call.state, of_role("sts:AssumeRole"))?;
    passed.check(call, of_role)?;
    asked.issue(call, (account, role), None, passed).map(Some)
}

/// Nobody here has an MFA device, so that whoever names one, or shows its code, is refused.
pub(super) fn no_mfa(params: &Params) -> Result<(), Refusal> {
    if params.get("SerialNumber").or(params.get("TokenCode")).is_none() {
        return Ok(());
    }
    Err(Refusal::new(
        403,
        "AccessDenied",
        "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
    ))
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
