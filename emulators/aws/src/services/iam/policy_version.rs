use iam_policy::PolicyKind;

use super::{
    names::encoded,
    page,
    policy::{checked, not_found},
};
use crate::{
    answer::{Refusal, Xml, iso8601},
    services::{Call, Done},
    state::{Document, ManagedPolicy, PolicyVersion},
};

/// Versions that a managed policy may have.
const VERSIONS: usize = 5;

pub(super) fn create(call: &mut Call<'_>) -> Done {
    call.params.only(&["PolicyArn", "PolicyDocument", "SetAsDefault"])?;
    let text = call.params.required("PolicyDocument")?;
    let in_force = match call.params.get("SetAsDefault") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(Refusal::new(
                400,
                "MalformedInput",
                format!("SetAsDefault is neither true nor false: '{other}'"),
            ));
        }
    };
    let now = call.now;
    let policy = customers(call, "iam:CreatePolicyVersion")?;
    let document = Document::parse(PolicyKind::Identity, text)?;
    if policy.others.len() + 1 >= VERSIONS {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            format!(
                "A managed policy can have up to {VERSIONS} versions. Before you create a new version, you must delete an \
                 existing version."
            ),
        ));
    }
    policy.latest += 1;
    let version = PolicyVersion {
        number: policy.latest,
        created: now,
        document,
    };
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| write(xml, &version, in_force, false));
    policy.others.push(version);
    if in_force {
        policy.set_default(policy.latest, now);
    }
    Ok(Some(xml))
}

pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.params.only(&["PolicyArn", "VersionId"])?;
    let id = call.params.required("VersionId")?;
    let arn = checked(call, "iam:GetPolicyVersion")?;
    let policies = &call.state[call.account].policies;
    let policy = policies.get(&arn).ok_or_else(|| not_found(&arn))?;
    let (version, in_force) = policy.version(id).ok_or_else(|| no_version(&arn, id))?;
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| write(xml, version, in_force, true));
    Ok(Some(xml))
}

pub(super) fn list(call: &mut Call<'_>) -> Done {
    call.params.only(&["PolicyArn", "Marker", "MaxItems"])?;
    let arn = checked(call, "iam:ListPolicyVersions")?;
    let policies = &call.state[call.account].policies;
    let policy = policies.get(&arn).ok_or_else(|| not_found(&arn))?;
    page::write(
        call.params,
        "Versions",
        &policy.versions(),
        |xml, (version, in_force)| {
            write(xml, version, *in_force, false);
        },
    )
    .map(Some)
}

pub(super) fn set_default(call: &mut Call<'_>) -> Done {
    call.params.only(&["PolicyArn", "VersionId"])?;
    let id = call.params.required("VersionId")?;
    let now = call.now;
    let policy = customers(call, "iam:SetDefaultPolicyVersion")?;
    let number = policy.version(id).map(|(version, _)| version.number);
    let number = number.ok_or_else(|| no_version(&policy.arn, id))?;
    policy.set_default(number, now);
    Ok(None)
}

pub(super) fn delete(call: &mut Call<'_>) -> Done {
    call.params.only(&["PolicyArn", "VersionId"])?;
    let id = call.params.required("VersionId")?;
    let policy = customers(call, "iam:DeletePolicyVersion")?;
    let (number, in_force) = policy
        .version(id)
        .map(|(version, in_force)| (version.number, in_force))
        .ok_or_else(|| no_version(&policy.arn, id))?;
    if in_force {
        return Err(Refusal::delete_conflict(
            "Cannot delete the default version of a policy.",
        ));
    }
    policy.others.retain(|version| version.number != number);
    Ok(None)
}

/// The elements of a version. Only GetPolicyVersion and the details of an account show the document.
pub(super) fn write(xml: &mut Xml, version: &PolicyVersion, in_force: bool, whole: bool) {
    if whole {
        xml.text("Document", &encoded(&version.document.text));
    }
    xml.text("VersionId", &version.id())
        .text("IsDefaultVersion", if in_force { "true" } else { "false" })
        .text("CreateDate", &iso8601(version.created));
}

/// The policy named, which must be one of the customer's, after the caller was found to have permission for this action.
fn customers<'c>(call: &'c mut Call<'_>, action: &str) -> Result<&'c mut ManagedPolicy, Refusal> {
    let arn = checked(call, action)?;
    let policies = &mut call.state[call.account].policies;
    let policy = policies.get_mut(&arn).ok_or_else(|| not_found(&arn))?;
    if policy.is_aws() {
        return Err(Refusal::new(
            403,
            "AccessDenied",
            "AWS managed policies cannot be changed.",
        ));
    }
    Ok(policy)
}

fn no_version(arn: &str, id: &str) -> Refusal {
    Refusal::no_such_entity(format!(
        "Policy {arn} version {id} does not exist or is not attachable."
    ))
}
