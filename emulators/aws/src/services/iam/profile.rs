use super::{
    names::{no_role, profile_arn, role_arn, write_tags},
    page,
    role::write_role,
    tag::check_create,
};
use crate::{
    answer::{Refusal, Xml, iso8601},
    authorise::Ask,
    identity::entity_id,
    services::{Call, Done, tags},
    state::{Iam, InstanceProfile},
};

pub(super) fn create(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&["InstanceProfileName", "Path", "Tags"])?;
    let name = params.name("InstanceProfileName", 128)?;
    let path = params.path()?;
    let arn = format!(
        "arn:aws:iam::{}:instance-profile{path}{name}",
        call.state[call.account].account
    );
    let tags = tags::read(params, "InvalidInput")?;
    check_create(call, "iam:CreateInstanceProfile", "iam:TagInstanceProfile", &arn, &tags)?;
    if call.state[call.account]
        .profiles
        .keys()
        .any(|other| other.eq_ignore_ascii_case(name))
    {
        return Err(Refusal::exists(format!("Instance Profile {name} already exists.")));
    }
    let profile = InstanceProfile {
        name: name.to_owned(),
        path: path.to_owned(),
        id: entity_id("AIPA"),
        arn,
        created: call.now,
        role: None,
        tags,
    };
    let xml = shown(&call.state[call.account], &profile);
    call.state[call.account].profiles.insert(name.to_owned(), profile);
    Ok(Some(xml))
}

pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.params.only(&["InstanceProfileName"])?;
    let name = checked(call, "iam:GetInstanceProfile")?;
    let profile = call.state[call.account]
        .profiles
        .get(&name)
        .ok_or_else(|| no_profile(&name))?;
    Ok(Some(shown(&call.state[call.account], profile)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Done {
    call.params.only(&["InstanceProfileName"])?;
    let name = checked(call, "iam:DeleteInstanceProfile")?;
    let profile = call.state[call.account]
        .profiles
        .get(&name)
        .ok_or_else(|| no_profile(&name))?;
    if profile.role.is_some() {
        return Err(Refusal::delete_conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    call.state[call.account].profiles.remove(&name);
    Ok(None)
}

/// Needs `iam:PassRole` for the role too: it is how a role gets to an instance.
pub(super) fn add_role(call: &mut Call<'_>) -> Done {
    call.params.only(&["InstanceProfileName", "RoleName"])?;
    let role = call.params.name("RoleName", 64)?;
    let name = checked(call, "iam:AddRoleToInstanceProfile")?;
    let ask = Ask::new("iam:PassRole", role_arn(&call.state[call.account], role))
        .context("iam:PassedToService", "ec2.amazonaws.com");
    call.gate.check(call.state, ask)?;
    if !call.state[call.account].roles.contains_key(role) {
        return Err(no_role(role));
    }
    let profile = call.state[call.account]
        .profiles
        .get_mut(&name)
        .ok_or_else(|| no_profile(&name))?;
    if profile.role.is_some() {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
        ));
    }
    profile.role = Some(role.to_owned());
    Ok(None)
}

pub(super) fn remove_role(call: &mut Call<'_>) -> Done {
    call.params.only(&["InstanceProfileName", "RoleName"])?;
    let role = call.params.name("RoleName", 64)?;
    let name = checked(call, "iam:RemoveRoleFromInstanceProfile")?;
    let profile = call.state[call.account]
        .profiles
        .get_mut(&name)
        .ok_or_else(|| no_profile(&name))?;
    if profile.role.as_deref() != Some(role) {
        return Err(no_role(role));
    }
    profile.role = None;
    Ok(None)
}

pub(super) fn list(call: &mut Call<'_>) -> Done {
    call.params.only(&["PathPrefix", "Marker", "MaxItems"])?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let account = &call.state[call.account].account;
    let resource = format!("arn:aws:iam::{account}:instance-profile{prefix}");
    call.gate
        .check(call.state, Ask::new("iam:ListInstanceProfiles", &resource))?;
    let iam = &call.state[call.account];
    let profiles: Vec<&InstanceProfile> = iam
        .profiles
        .values()
        .filter(|profile| profile.path.starts_with(prefix))
        .collect();
    page::write(call.params, "InstanceProfiles", &profiles, |xml, profile| {
        write(xml, iam, profile)
    })
    .map(Some)
}

pub(super) fn list_for_role(call: &mut Call<'_>) -> Done {
    call.params.only(&["RoleName", "Marker", "MaxItems"])?;
    let role = call.params.name("RoleName", 64)?;
    let ask = Ask::new(
        "iam:ListInstanceProfilesForRole",
        role_arn(&call.state[call.account], role),
    )
    .shown(format!("role {role}"));
    call.gate.check(call.state, ask)?;
    let iam = &call.state[call.account];
    if !iam.roles.contains_key(role) {
        return Err(no_role(role));
    }
    let profiles: Vec<&InstanceProfile> = iam
        .profiles
        .values()
        .filter(|profile| profile.role.as_deref() == Some(role))
        .collect();
    page::write(call.params, "InstanceProfiles", &profiles, |xml, profile| {
        write(xml, iam, profile)
    })
    .map(Some)
}

/// The profile named, after the caller was found to have permission for this action on it.
fn checked(call: &mut Call<'_>, action: &str) -> Result<String, Refusal> {
    let name = call.params.name("InstanceProfileName", 128)?;
    let ask = Ask::new(action, profile_arn(&call.state[call.account], name)).shown(format!("instance profile {name}"));
    call.gate.check(call.state, ask)?;
    Ok(name.to_owned())
}

pub(super) fn no_profile(name: &str) -> Refusal {
    Refusal::no_such_entity(format!("Instance Profile {name} cannot be found."))
}

fn shown(iam: &Iam, profile: &InstanceProfile) -> Xml {
    let mut xml = Xml::new();
    xml.element("InstanceProfile", |xml| {
        write(xml, iam, profile);
        write_tags(xml, &profile.tags);
    });
    xml
}

pub(super) fn write(xml: &mut Xml, iam: &Iam, profile: &InstanceProfile) {
    xml.text("Path", &profile.path)
        .text("InstanceProfileName", &profile.name)
        .text("InstanceProfileId", &profile.id)
        .text("Arn", &profile.arn)
        .text("CreateDate", &iso8601(profile.created))
        .element("Roles", |xml| {
            if let Some(role) = profile.role.as_ref().and_then(|name| iam.roles.get(name)) {
                xml.element("member", |xml| write_role(xml, role, false));
            }
        });
}
