use std::collections::BTreeSet;

use super::{
    names::{group_arn, no_group, no_user},
    page,
    user::{check as check_user, write_user},
};
use crate::{
    answer::{Refusal, Xml, iso8601},
    authorise::Ask,
    identity::entity_id,
    services::{Call, Done},
    state::{Group, Permissions, User},
};

/// Groups that a user may be in.
const GROUPS: usize = 10;

pub(super) fn create(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&["GroupName", "Path"])?;
    let name = params.name("GroupName", 128)?;
    let path = params.path()?;
    let arn = format!("arn:aws:iam::{}:group{path}{name}", call.state[call.account].account);
    call.gate.check(call.state, Ask::new("iam:CreateGroup", &arn))?;
    let groups = &mut call.state[call.account].groups;
    if groups.keys().any(|other| other.eq_ignore_ascii_case(name)) {
        return Err(Refusal::exists(format!("Group with name {name} already exists.")));
    }
    let group = Group {
        name: name.to_owned(),
        path: path.to_owned(),
        id: entity_id("AGPA"),
        arn,
        created: call.now,
        permissions: Permissions::default(),
        members: BTreeSet::new(),
    };
    let mut xml = Xml::new();
    xml.element("Group", |xml| write(xml, &group));
    groups.insert(name.to_owned(), group);
    Ok(Some(xml))
}

/// The group and the users in it.
pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.params.only(&["GroupName", "Marker", "MaxItems"])?;
    let name = checked(call, "iam:GetGroup")?;
    let iam = &call.state[call.account];
    let group = iam.groups.get(&name).ok_or_else(|| no_group(&name))?;
    let users: Vec<&User> = group.members.iter().filter_map(|name| iam.users.get(name)).collect();
    let page = page::write(call.params, "Users", &users, |xml, user| write_user(xml, user))?;
    let mut xml = Xml::new();
    xml.element("Group", |xml| write(xml, group)).raw(&page);
    Ok(Some(xml))
}

pub(super) fn list(call: &mut Call<'_>) -> Done {
    call.params.only(&["PathPrefix", "Marker", "MaxItems"])?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let resource = format!("arn:aws:iam::{}:group{prefix}", call.state[call.account].account);
    call.gate.check(call.state, Ask::new("iam:ListGroups", &resource))?;
    let groups: Vec<&Group> = call.state[call.account]
        .groups
        .values()
        .filter(|group| group.path.starts_with(prefix))
        .collect();
    page::write(call.params, "Groups", &groups, |xml, group| write(xml, group)).map(Some)
}

pub(super) fn list_for_user(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName", "Marker", "MaxItems"])?;
    let name = call.params.name("UserName", 64)?.to_owned();
    check_user(call, "iam:ListGroupsForUser", &name)?;
    let iam = &call.state[call.account];
    if !iam.users.contains_key(&name) {
        return Err(no_user(&name));
    }
    let groups: Vec<&Group> = iam
        .groups
        .values()
        .filter(|group| group.members.contains(&name))
        .collect();
    page::write(call.params, "Groups", &groups, |xml, group| write(xml, group)).map(Some)
}

pub(super) fn delete(call: &mut Call<'_>) -> Done {
    call.params.only(&["GroupName"])?;
    let name = checked(call, "iam:DeleteGroup")?;
    let groups = &mut call.state[call.account].groups;
    let group = groups.get(&name).ok_or_else(|| no_group(&name))?;
    let conflict = if !group.members.is_empty() {
        "Cannot delete entity, must remove users from group first."
    } else if !group.permissions.attached.is_empty() {
        "Cannot delete entity, must detach all policies first."
    } else if !group.permissions.inline.is_empty() {
        "Cannot delete entity, must delete policies first."
    } else {
        groups.remove(&name);
        return Ok(None);
    };
    Err(Refusal::delete_conflict(conflict))
}

/// Adding a user who is in the group already is no error.
pub(super) fn add_user(call: &mut Call<'_>) -> Done {
    call.params.only(&["GroupName", "UserName"])?;
    let user = call.params.name("UserName", 64)?;
    let name = checked(call, "iam:AddUserToGroup")?;
    let iam = &mut call.state[call.account];
    if !iam.users.contains_key(user) {
        return Err(no_user(user));
    }
    let others = iam
        .groups
        .iter()
        .filter(|(other, group)| **other != name && group.members.contains(user));
    if others.count() >= GROUPS {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for GroupsPerUser: {GROUPS}"),
        ));
    }
    let group = iam.groups.get_mut(&name).ok_or_else(|| no_group(&name))?;
    group.members.insert(user.to_owned());
    Ok(None)
}

pub(super) fn remove_user(call: &mut Call<'_>) -> Done {
    call.params.only(&["GroupName", "UserName"])?;
    let user = call.params.name("UserName", 64)?;
    let name = checked(call, "iam:RemoveUserFromGroup")?;
    let iam = &mut call.state[call.account];
    if !iam.users.contains_key(user) {
        return Err(no_user(user));
    }
    let group = iam.groups.get_mut(&name).ok_or_else(|| no_group(&name))?;
    if group.members.remove(user) {
        Ok(None)
    } else {
        Err(Refusal::no_such_entity(format!("User {user} is not in group {name}.")))
    }
}

/// The group named, after the caller was found to have permission for this action on it.
fn checked(call: &mut Call<'_>, action: &str) -> Result<String, Refusal> {
    let name = call.params.name("GroupName", 128)?;
    let ask = Ask::new(action, group_arn(&call.state[call.account], name)).shown(format!("group {name}"));
    call.gate.check(call.state, ask)?;
    Ok(name.to_owned())
}

pub(super) fn write(xml: &mut Xml, group: &Group) {
    xml.text("Path", &group.path)
        .text("GroupName", &group.name)
        .text("GroupId", &group.id)
        .text("Arn", &group.arn)
        .text("CreateDate", &iso8601(group.created));
}
