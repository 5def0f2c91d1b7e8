use super::{
    names::{ask_user, no_user, write_tags},
    page,
    permissions::boundary_of,
    tag::check_ask,
};
use crate::{
    answer::{Refusal, Xml, iso8601},
    authorise::Ask,
    identity::{Identity, entity_id},
    services::{Call, Done, tags},
    state::{Permissions, User},
};

pub(super) fn create(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&["UserName", "Path", "PermissionsBoundary", "Tags"])?;
    let name = params.name("UserName", 64)?;
    let path = params.path()?;
    let arn = format!("arn:aws:iam::{}:user{path}{name}", call.state[call.account].account);
    let mut ask = Ask::new("iam:CreateUser", &arn);
    if let Some(boundary) = params.get("PermissionsBoundary") {
        ask = ask.context("iam:PermissionsBoundary", boundary);
    }
    let tags = tags::read(params, "InvalidInput")?;
    check_ask(call, ask, "iam:TagUser", &tags)?;
    if call.state[call.account]
        .users
        .keys()
        .any(|other| other.eq_ignore_ascii_case(name))
    {
        return Err(Refusal::exists(format!("User with name {name} already exists.")));
    }
    let boundary = boundary_of(call, params.get("PermissionsBoundary"))?;
    let user = User {
        name: name.to_owned(),
        path: path.to_owned(),
        id: entity_id("AIDA"),
        arn,
        created: call.now,
        permissions: Permissions {
            boundary,
            ..Permissions::default()
        },
        tags,
    };
    let xml = shown(&user);
    call.state[call.account].users.insert(name.to_owned(), user);
    Ok(Some(xml))
}

/// Without `UserName`, the user who asks.
pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName"])?;
    let name = match call.params.get("UserName") {
        Some(_) => call.params.name("UserName", 64)?.to_owned(),
        None if matches!(call.gate.who().identity, Identity::Root) => return get_root(call),
        None => own_name(call)?,
    };
    check(call, "iam:GetUser", &name)?;
    let user = call.state[call.account]
        .users
        .get(&name)
        .ok_or_else(|| no_user(&name))?;
    Ok(Some(shown(user)))
}

/// The root user is shown by its ARN alone; it has neither name nor path.
fn get_root(call: &mut Call<'_>) -> Done {
    let account = call.state[call.account].account.clone();
    let arn = format!("arn:aws:iam::{account}:root");
    call.gate.check(call.state, Ask::new("iam:GetUser", &arn))?;
    let key = call.gate.who().caller.as_ref().map(|caller| caller.key_id.clone());
    let created = key
        .and_then(|id| call.state.keys.get(&id))
        .map_or(call.now, |key| key.created);
    let mut xml = Xml::new();
    xml.element("User", |xml| {
        xml.text("UserId", &account)
            .text("Arn", &arn)
            .text("CreateDate", &iso8601(created));
    });
    Ok(Some(xml))
}

pub(super) fn delete(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName"])?;
    let name = call.params.name("UserName", 64)?.to_owned();
    check(call, "iam:DeleteUser", &name)?;
    let user = call.state[call.account]
        .users
        .get(&name)
        .ok_or_else(|| no_user(&name))?;
    if !call.state.keys.of_user(call.account, &name).is_empty() {
        return Err(Refusal::delete_conflict(
            "Cannot delete entity, must delete access keys first.",
        ));
    }
    if !user.permissions.attached.is_empty() {
        return Err(Refusal::delete_conflict(
            "Cannot delete entity, must detach all policies first.",
        ));
    }
    if !user.permissions.inline.is_empty() {
        return Err(Refusal::delete_conflict(
            "Cannot delete entity, must delete policies first.",
        ));
    }
    let grouped = call.state[call.account].groups.values();
    if grouped.into_iter().any(|group| group.members.contains(&name)) {
        return Err(Refusal::delete_conflict(
            "Cannot delete entity, must remove users from group first.",
        ));
    }
    call.state[call.account].users.remove(&name);
    Ok(None)
}

pub(super) fn list(call: &mut Call<'_>) -> Done {
    call.params.only(&["PathPrefix", "Marker", "MaxItems"])?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let resource = format!("arn:aws:iam::{}:user{prefix}", call.state[call.account].account);
    call.gate.check(call.state, Ask::new("iam:ListUsers", &resource))?;
    let users: Vec<&User> = call.state[call.account]
        .users
        .values()
        .filter(|user| user.path.starts_with(prefix))
        .collect();
    page::write(call.params, "Users", &users, |xml, user| write_user(xml, user)).map(Some)
}

/// Asks for an action on a user.
pub(super) fn check(call: &mut Call<'_>, action: &str, name: &str) -> Result<(), Refusal> {
    let ask = ask_user(&call.state[call.account], action, name);
    call.gate.check(call.state, ask)
}

/// The name of the user who asks.
///
/// # Errors
/// Whoever asks is no user.
pub(super) fn own_name(call: &Call<'_>) -> Result<String, Refusal> {
    match &call.gate.who().identity {
        Identity::User(user) => Ok(user.name.clone()),
        _ => Err(Refusal::validation(
            "Must specify userName when calling with non-User credentials",
        )),
    }
}

fn shown(user: &User) -> Xml {
    let mut xml = Xml::new();
    xml.element("User", |xml| {
        write_user(xml, user);
        if let Some(boundary) = &user.permissions.boundary {
            xml.element("PermissionsBoundary", |xml| {
                xml.text("PermissionsBoundaryType", "Policy")
                    .text("PermissionsBoundaryArn", &boundary.arn);
            });
        }
        write_tags(xml, &user.tags);
    });
    xml
}

/// The elements of a user that lists have too.
pub(super) fn write_user(xml: &mut Xml, user: &User) {
    xml.text("Path", &user.path)
        .text("UserName", &user.name)
        .text("UserId", &user.id)
        .text("Arn", &user.arn)
        .text("CreateDate", &iso8601(user.created));
}
