use iam_policy::PolicyKind;

use super::{
    names::{ask_role, encoded, no_role, write_tags},
    page,
    permissions::boundary_of,
    tag::check_ask,
};
use crate::{
    answer::{Refusal, Xml, iso8601},
    authorise::Ask,
    identity::entity_id,
    params::Params,
    services::{Call, Done, tags},
    state::{Document, Permissions, Role},
};

/// Session lengths that a role may allow, in seconds.
const MAX_SESSION: std::ops::RangeInclusive<u32> = 3600..=43200;

pub(super) fn create(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&[
        "RoleName",
        "Path",
        "AssumeRolePolicyDocument",
        "Description",
        "MaxSessionDuration",
        "PermissionsBoundary",
        "Tags",
    ])?;
    let name = params.name("RoleName", 64)?;
    let path = params.path()?;
    let document = params.required("AssumeRolePolicyDocument")?;
    let max_session = max_session(params)?.unwrap_or(3600);
    let arn = format!("arn:aws:iam::{}:role{path}{name}", call.state[call.account].account);
    let mut ask = Ask::new("iam:CreateRole", &arn);
    if let Some(boundary) = params.get("PermissionsBoundary") {
        ask = ask.context("iam:PermissionsBoundary", boundary);
    }
    let tags = tags::read(params, "InvalidInput")?;
    check_ask(call, ask, "iam:TagRole", &tags)?;

    if call.state[call.account]
        .roles
        .keys()
        .any(|other| other.eq_ignore_ascii_case(name))
    {
        return Err(Refusal::exists(format!("Role with name {name} already exists.")));
    }
    let trust = Document::parse(PolicyKind::Trust, document)?;
    let boundary = boundary_of(call, params.get("PermissionsBoundary"))?;
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        id: entity_id("AROA"),
        arn,
        created: call.now,
        trust,
        trust_since: call.now,
        description: params.get("Description").map(str::to_owned),
        max_session,
        permissions: Permissions {
            boundary,
            ..Permissions::default()
        },
        tags,
    };
    let xml = shown(&role, false);
    call.state[call.account].roles.insert(name.to_owned(), role);
    Ok(Some(xml))
}

pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.params.only(&["RoleName"])?;
    let name = checked(call, "iam:GetRole")?;
    let role = call.state[call.account]
        .roles
        .get(&name)
        .ok_or_else(|| no_role(&name))?;
    Ok(Some(shown(role, true)))
}

pub(super) fn list(call: &mut Call<'_>) -> Done {
    call.params.only(&["PathPrefix", "Marker", "MaxItems"])?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let resource = format!("arn:aws:iam::{}:role{prefix}", call.state[call.account].account);
    call.gate.check(call.state, Ask::new("iam:ListRoles", &resource))?;
    let roles: Vec<&Role> = call.state[call.account]
        .roles
        .values()
        .filter(|role| role.path.starts_with(prefix))
        .collect();
    page::write(call.params, "Roles", &roles, |xml, role| write_role(xml, role, false)).map(Some)
}

pub(super) fn delete(call: &mut Call<'_>) -> Done {
    call.params.only(&["RoleName"])?;
    let name = checked(call, "iam:DeleteRole")?;
    let role = call.state[call.account]
        .roles
        .get(&name)
        .ok_or_else(|| no_role(&name))?;
    if call.state[call.account]
        .profiles
        .values()
        .any(|profile| profile.role.as_deref() == Some(&name))
    {
        return Err(Refusal::delete_conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    if !role.permissions.attached.is_empty() {
        return Err(Refusal::delete_conflict(
            "Cannot delete entity, must detach all policies first.",
        ));
    }
    if !role.permissions.inline.is_empty() {
        return Err(Refusal::delete_conflict(
            "Cannot delete entity, must delete policies first.",
        ));
    }
    call.state[call.account].roles.remove(&name);
    Ok(None)
}

pub(super) fn update(call: &mut Call<'_>) -> Done {
    call.params.only(&["RoleName", "Description", "MaxSessionDuration"])?;
    let max_session = max_session(call.params)?;
    let name = checked(call, "iam:UpdateRole")?;
    let description = call.params.get("Description").map(str::to_owned);
    let role = call.state[call.account]
        .roles
        .get_mut(&name)
        .ok_or_else(|| no_role(&name))?;
    role.max_session = max_session.unwrap_or(role.max_session);
    role.description = description.or_else(|| role.description.take());
    Ok(Some(Xml::new()))
}

/// As UpdateRole does it; unlike that one it answers with the role.
pub(super) fn update_description(call: &mut Call<'_>) -> Done {
    call.params.only(&["RoleName", "Description"])?;
    let description = call.params.required("Description")?;
    let name = checked(call, "iam:UpdateRoleDescription")?;
    let roles = &mut call.state[call.account].roles;
    let role = roles.get_mut(&name).ok_or_else(|| no_role(&name))?;
    role.description = Some(description.to_owned());
    Ok(Some(shown(role, true)))
}

pub(super) fn update_trust(call: &mut Call<'_>) -> Done {
    call.params.only(&["RoleName", "PolicyDocument"])?;
    let document = call.params.required("PolicyDocument")?;
    let name = checked(call, "iam:UpdateAssumeRolePolicy")?;
    let role = call.state[call.account]
        .roles
        .get_mut(&name)
        .ok_or_else(|| no_role(&name))?;
    role.trust = Document::parse(PolicyKind::Trust, document)?;
    role.trust_since = call.now;
    Ok(None)
}

/// The role named, after the caller was found to have permission for this action on it.
fn checked(call: &mut Call<'_>, action: &str) -> Result<String, Refusal> {
    let name = call.params.name("RoleName", 64)?;
    call.gate
        .check(call.state, ask_role(&call.state[call.account], action, name))?;
    Ok(name.to_owned())
}

fn max_session(params: &Params) -> Result<Option<u32>, Refusal> {
    let bound = |seconds: u32, words: &str, bound: u32| {
        Refusal::validation(format!(
            "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member \
             must have value {words} than or equal to {bound}"
        ))
    };
    match params.number("MaxSessionDuration")? {
        Some(seconds) if seconds < *MAX_SESSION.start() => Err(bound(seconds, "greater", *MAX_SESSION.start())),
        Some(seconds) if seconds > *MAX_SESSION.end() => Err(bound(seconds, "less", *MAX_SESSION.end())),
        seconds => Ok(seconds),
    }
}

fn shown(role: &Role, whole: bool) -> Xml {
    let mut xml = Xml::new();
    xml.element("Role", |xml| write_role(xml, role, whole));
    xml
}

/// The elements of a role. AWS leaves boundary and tags out of lists.
pub(super) fn write_role(xml: &mut Xml, role: &Role, whole: bool) {
    xml.text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.id)
        .text("Arn", &role.arn)
        .text("CreateDate", &iso8601(role.created))
        .text("AssumeRolePolicyDocument", &encoded(&role.trust.text))
        .optional("Description", role.description.as_deref())
        .text("MaxSessionDuration", &role.max_session.to_string());
    if whole {
        if let Some(boundary) = &role.permissions.boundary {
            xml.element("PermissionsBoundary", |xml| {
                xml.text("PermissionsBoundaryType", "Policy")
                    .text("PermissionsBoundaryArn", &boundary.arn);
            });
        }
        write_tags(xml, &role.tags);
    }
}
