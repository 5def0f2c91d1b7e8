use std::sync::Arc;

use iam_policy::{Policy, PolicyKind};
use jiff::SignedDuration;

use super::{
    assume_role::no_mfa,
    issue::{self, Issue},
    role_session::{Packed, inline_policy},
    rule::Rule,
};
use crate::{
    answer::{Refusal, Xml},
    authorise::Ask,
    identity::{Federated, Identity, SessionCredentials, SessionTags},
    services::{Call, Done, tags},
    state::Document,
};

/// Seconds that the session of a user lasts if it names none, and at most.
const HALF_A_DAY: u32 = 43_200;
const DAY_AND_A_HALF: u32 = 129_600;
/// Seconds that a session of the root user lasts at most, whatever it asks for.
const ROOT: u32 = 3600;

const NAME: Rule = Rule {
    member: "name",
    length: 2..=32,
    others: "_+=,.@-",
    pattern: "[\\w+=,.@-]*",
};
const KEY_ID: Rule = Rule {
    member: "accessKeyId",
    length: 16..=128,
    others: "_",
    pattern: "[\\w]*",
};

/// What a federated user may by itself to whom no session policy was given, which is all that everybody may.
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}]}"#;

/// Needs no permission, and no policy can deny it (STS API reference, GetSessionToken).
pub(super) fn session_token(call: &mut Call<'_>) -> Done {
    call.gate.needs_no_permission("sts:GetSessionToken");
    let params = call.params;
    params.only(&["DurationSeconds", "SerialNumber", "TokenCode"])?;
    no_mfa(params)?;
    let duration = issue::duration(params, HALF_A_DAY, DAY_AND_A_HALF)?;
    let identity = long_lived(call, "GetSessionToken")?;
    let credentials = make(call, identity, duration, Vec::new());
    let mut xml = Xml::new();
    xml.element("Credentials", |xml| issue::write(xml, &credentials));
    Ok(Some(xml))
}

/// A federated user may what both the user who asks and the session policies allow.
pub(super) fn federation_token(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&["Name", "DurationSeconds", "Policy", "PolicyArns", "Tags"])?;
    let name = params.required("Name")?;
    NAME.check(name)?;
    let duration = issue::duration(params, HALF_A_DAY, DAY_AND_A_HALF)?;
    let inline = inline_policy(params)?;
    let tags = SessionTags {
        tags: tags::read(params, "InvalidParameterValue")?,
        ..SessionTags::default()
    };
    let account = call.state[call.account].account.clone();
    let arn = format!("arn:aws:sts::{account}:federated-user/{name}");
    let question = |action: &str| tags.requested(Ask::new(action, &arn).without_reason());
    call.gate.check(call.state, question("sts:GetFederationToken"))?;
    tags.check(call, question)?;
    let by = match long_lived(call, "GetFederationToken")? {
        Identity::User(user) => Some(user),
        _ => None,
    };
    let Packed { mut policies, percent } = Packed::of(call, call.account, inline.as_ref(), &tags)?;
    if policies.is_empty() {
        let nothing = Document::parse(PolicyKind::Identity, NOTHING)?;
        policies.push(("session policy that was not given".to_owned(), nothing.policy));
    }
    let federated = Federated {
        name: name.to_owned(),
        by,
        tags,
    };
    let credentials = make(call, Identity::Federated(Arc::new(federated)), duration, policies);
    let mut xml = Xml::new();
    xml.element("Credentials", |xml| issue::write(xml, &credentials))
        .element("FederatedUser", |xml| {
            xml.text("FederatedUserId", &format!("{account}:{name}"))
                .text("Arn", &arn);
        });
    if let Some(percent) = percent {
        xml.text("PackedPolicySize", &percent.to_string());
    }
    Ok(Some(xml))
}

/// The account that a key belongs to, whether or not the key is still good.
pub(super) fn access_key_info(call: &mut Call<'_>) -> Done {
    call.params.only(&["AccessKeyId"])?;
    let id = call.params.required("AccessKeyId")?;
    KEY_ID.check(id)?;
    call.gate.check(
        call.state,
        Ask::new("sts:GetAccessKeyInfo", "*").shown("").without_reason(),
    )?;
    let key = call
        .state
        .keys
        .get(id)
        .ok_or_else(|| Refusal::validation(format!("Rolecall never made an access key {id}")))?;
    let mut xml = Xml::new();
    xml.text("Account", &call.state[key.account].account);
    Ok(Some(xml))
}

/// The caller, who must have signed with a long-lived key.
fn long_lived(call: &Call<'_>, operation: &str) -> Result<Identity, Refusal> {
    let who = call.gate.who();
    if who.session.is_some() {
        let message = format!("Cannot call {operation} with session credentials");
        return Err(Refusal::new(403, "AccessDenied", message));
    }
    Ok(who.identity.clone())
}

fn make(
    call: &mut Call<'_>,
    identity: Identity,
    duration: u32,
    policies: Vec<(String, Arc<Policy>)>,
) -> SessionCredentials {
    let root = matches!(call.gate.who().identity, Identity::Root);
    let seconds = if root { duration.min(ROOT) } else { duration };
    Issue {
        account: call.account,
        identity,
        now: call.now,
        lasts: SignedDuration::from_secs(i64::from(seconds)),
        policies,
    }
    .make(&mut call.state.keys)
}
