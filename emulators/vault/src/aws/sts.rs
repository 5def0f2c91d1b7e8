//! Temporary keys from STS.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{
    config::Root,
    name,
    query::{self, AwsError, Endpoint},
    role::{ASSUMED_ROLE, FEDERATION_TOKEN, Role},
    xml::Document,
};
use crate::{core::Core, reply::Refusal};

/// The least life that the SDK lets through, in seconds.
const LEAST: i64 = 900;

/// What STS gave.
pub(super) struct Issued {
    /// The data of the answer, with all but `ttl`.
    pub(super) data: Value,
    pub(super) expires: Timestamp,
    pub(super) keys: [SecretString; 2],
}

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub(super) kind: &'a str,
    /// In seconds.
    pub(super) ttl: i64,
    pub(super) role_arn: &'a str,
    /// Empty for one that is made up.
    pub(super) session_name: &'a str,
    pub(super) mfa_code: &'a str,
    pub(super) display_name: &'a str,
    pub(super) role_name: &'a str,
}

/// Gets keys of one of the three types.
///
/// # Errors
/// What AWS said, with what was being done.
pub(super) async fn issue(
    core: &Arc<Core>,
    mount: &str,
    root: &Root,
    role: &Role,
    wanted: &Wanted<'_>,
) -> Result<Issued, Refusal> {
    let endpoint = client(core, mount, root).await?;
    if wanted.kind == FEDERATION_TOKEN && role.policy_arns.is_empty() && role.policy_document.is_empty() {
        return Err(Refusal::bad(
            "must specify at least one of policy_arns or policy_document with federation_token credential_type",
        ));
    }
    let (action, doing) = match wanted.kind {
        ASSUMED_ROLE => ("AssumeRole", "Error assuming role"),
        FEDERATION_TOKEN => ("GetFederationToken", "Error generating STS keys"),
        _ => ("GetSessionToken", "Error generating STS keys"),
    };
    check(action, wanted).map_err(|error| error.refusal(doing))?;
    let params = params(role, wanted, core.now());
    let params: Vec<(&str, &str)> = params
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let document = query::call(core, root, &endpoint, action, &params)
        .await
        .map_err(|error| error.refusal(doing))?;
    read(&document, wanted.kind).ok_or_else(|| Refusal::bad(format!("{doing}: the answer has no credentials")))
}

/// The endpoint that works, found out once after each configuration.
async fn client(core: &Arc<Core>, mount: &str, root: &Root) -> Result<Endpoint, Refusal> {
    if let Some(known) = core.state().mounts.aws(mount).and_then(|aws| aws.sts.clone()) {
        return Ok(known);
    }
    for endpoint in root.sts(&core.region) {
        if query::call(core, root, &endpoint, "GetCallerIdentity", &[])
            .await
            .is_ok()
        {
            if let Some(aws) = core.state().mounts.aws_mut(mount) {
                aws.sts = Some(endpoint.clone());
            }
            return Ok(endpoint);
        }
    }
    Err(Refusal::bad("could not obtain sts client"))
}

/// What the SDK refuses without asking AWS.
fn check(action: &str, wanted: &Wanted<'_>) -> Result<(), AwsError> {
    let mut errors = Vec::new();
    if wanted.ttl < LEAST {
        errors.push(format!(
            "- minimum field value of {LEAST}, {action}Input.DurationSeconds.\n"
        ));
    }
    if action == "AssumeRole" && wanted.role_arn.len() < 20 {
        errors.push("- minimum field size of 20, AssumeRoleInput.RoleArn.\n".to_owned());
    }
    if action == "AssumeRole" && wanted.session_name.len() == 1 {
        errors.push("- minimum field size of 2, AssumeRoleInput.RoleSessionName.\n".to_owned());
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(AwsError::Local(format!(
        "InvalidParameter: {} validation error(s) found.\n{}",
        errors.len(),
        errors.concat()
    )))
}

fn params(role: &Role, wanted: &Wanted<'_>, now: Timestamp) -> Vec<(String, String)> {
    let mut params = vec![("DurationSeconds".to_owned(), wanted.ttl.to_string())];
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            params.push((name.to_owned(), value.to_owned()));
        }
    };
    match wanted.kind {
        ASSUMED_ROLE => {
            put("RoleArn", wanted.role_arn);
            let session = match wanted.session_name {
                "" => name::of_user(wanted.display_name, wanted.role_name, now),
                asked => name::clean(asked),
            };
            put("RoleSessionName", &session);
            put("ExternalId", &role.external_id);
            for (name, value) in members("Tags", &role.session_tags) {
                put(&name, value);
            }
        }
        FEDERATION_TOKEN => put("Name", &name::of_federation(now)),
        _ => {
            put("SerialNumber", &role.mfa_serial_number);
            put("TokenCode", wanted.mfa_code);
            return params;
        }
    }
    put("Policy", &role.policy_document);
    for (number, arn) in (1..).zip(&role.policy_arns) {
        put(&format!("PolicyArns.member.{number}.arn"), arn);
    }
    params
}

/// Pairs as the query protocol numbers them.
pub(super) fn members<'a>(list: &str, pairs: &'a [(String, String)]) -> Vec<(String, &'a str)> {
    let numbered = (1..).zip(pairs);
    numbered
        .flat_map(|(number, (key, value)): (u32, _)| {
            [
                (format!("{list}.member.{number}.Key"), key.as_str()),
                (format!("{list}.member.{number}.Value"), value.as_str()),
            ]
        })
        .collect()
}

fn read(document: &Document, kind: &str) -> Option<Issued> {
    let part = |name: &str| document.text(&format!("Credentials/{name}"));
    let (access_key, secret, token) = (part("AccessKeyId")?, part("SecretAccessKey")?, part("SessionToken")?);
    let expires: Timestamp = part("Expiration")?.parse().ok()?;
    let mut data = json!({ "access_key": access_key });
    if kind == ASSUMED_ROLE {
        data["arn"] = json!(document.text("AssumedRoleUser/Arn")?);
    }
    data["secret_key"] = json!(secret);
    if [ASSUMED_ROLE, FEDERATION_TOKEN].contains(&kind) {
        data["security_token"] = json!(token);
    }
    data["session_token"] = json!(token);
    Some(Issued {
        data,
        expires,
        keys: [secret.into(), token.into()],
    })
}
