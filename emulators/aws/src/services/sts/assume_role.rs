use std::sync::Arc;

use iam_policy::{Policy, PolicyKind};
use jiff::{SignedDuration, Timestamp};

use crate::{
    answer::{Refusal, Xml, iso8601},
    authorise::{Ask, ResourcePolicy},
    identity::{
        Identity, Key, KeyOwner, KeyStatus, Session, SessionCredentials, access_key_id, secret_access_key,
        session_token,
    },
    params::Params,
    services::{Call, Done},
    state::{Document, Role, State},
};

/// Seconds that a session lasts if the caller names none, and at most if a session assumed the role.
const HOUR: u32 = 3600;
/// Managed session policies of one call.
const POLICY_ARNS: usize = 10;

/// A parameter's rule: its name in messages, its length, and its characters besides letters and digits.
struct Rule {
    member: &'static str,
    length: std::ops::RangeInclusive<usize>,
    others: &'static str,
    pattern: &'static str,
}

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
    let duration = duration(params)?;
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
    // An absent role is answered as a forbidden one, so that nobody learns which exist.
    let Some(role) = call.state.role_by_arn(arn).cloned() else {
        return Err(call.gate.deny(ask));
    };
    call.gate
        .check(call.state, ask.resource_policy(Some(trust_policy(&role))))?;

    let chained = matches!(call.gate.who().identity, Identity::Session(_));
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
    let policies = session_policies(call, inline.as_ref())?;
    let packed = inline.is_some() || !policies.is_empty();
    let lasts = SignedDuration::from_secs(i64::from(duration));
    let credentials = issue(call.state, &role, name, call.now, lasts, policies, None);

    let mut xml = Xml::new();
    xml.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", &format!("{}:{name}", role.id)).text(
            "Arn",
            &format!("arn:aws:sts::{}:assumed-role/{}/{name}", call.state.account, role.name),
        );
    })
    .element("Credentials", |xml| {
        xml.text("AccessKeyId", &credentials.access_key_id)
            .text("SecretAccessKey", credentials.secret_access_key.expose())
            .text("SessionToken", credentials.session_token.expose())
            .text("Expiration", &iso8601(credentials.expiration));
    });
    if packed {
        // AWS tells how much of the space for session policies is used, in percent; there is no such limit here.
        xml.text("PackedPolicySize", "1");
    }
    Ok(Some(xml))
}

/// Makes the keys of a session of this role. Whether the caller may have them is decided before.
pub(crate) fn issue(
    state: &mut State,
    role: &Role,
    session_name: &str,
    now: Timestamp,
    lasts: SignedDuration,
    policies: Vec<(String, Arc<Policy>)>,
    instance: Option<String>,
) -> SessionCredentials {
    let credentials = SessionCredentials {
        access_key_id: access_key_id("ASIA"),
        secret_access_key: secret_access_key(),
        session_token: session_token(),
        expiration: now + lasts,
        last_updated: now,
    };
    let session = Session {
        role_name: role.name.clone(),
        role_arn: role.arn.clone(),
        role_id: role.id.clone(),
        name: session_name.to_owned(),
        token: credentials.session_token.clone(),
        issued: now,
        expires: credentials.expiration,
        policies,
        instance,
    };
    state.keys.add(Key {
        id: credentials.access_key_id.clone(),
        secret: credentials.secret_access_key.clone(),
        status: KeyStatus::Active,
        owner: KeyOwner::Session(Arc::new(session)),
        created: now,
    });
    credentials
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

fn duration(params: &Params) -> Result<u32, Refusal> {
    let bound = |seconds: u32, words: &str| {
        Refusal::validation(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must \
             have value {words}"
        ))
    };
    match params.number("DurationSeconds")?.unwrap_or(HOUR) {
        seconds if seconds < 900 => Err(bound(seconds, "greater than or equal to 900")),
        seconds if seconds > 43200 => Err(bound(seconds, "less than or equal to 43200")),
        seconds => Ok(seconds),
    }
}

fn session_policies(call: &Call<'_>, inline: Option<&Document>) -> Result<Vec<(String, Arc<Policy>)>, Refusal> {
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
            .policies
            .get(arn)
            .ok_or_else(|| Refusal::new(400, "InvalidParameterValue", format!("Policy {arn} does not exist.")))?;
        policies.push((
            format!("session policy {}", policy.name),
            policy.document.policy.clone(),
        ));
    }
    Ok(policies)
}

// === impl Rule ===

impl Rule {
    fn check(&self, value: &str) -> Result<(), Refusal> {
        let constraint = if value.len() < *self.length.start() {
            format!(
                "Member must have length greater than or equal to {}",
                self.length.start()
            )
        } else if value.len() > *self.length.end() {
            format!("Member must have length less than or equal to {}", self.length.end())
        } else if !value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || self.others.contains(c))
        {
            format!("Member must satisfy regular expression pattern: {}", self.pattern)
        } else {
            return Ok(());
        };
        Err(Refusal::validation(format!(
            "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {constraint}",
            self.member
        )))
    }
}
