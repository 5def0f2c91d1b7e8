use super::{
    names::{no_user, user_arn, write_tags},
    page,
    permissions::boundary_of,
};
use crate::{
    answer::{Refusal, Xml, iso8601},
    authorise::Ask,
    identity::{Identity, entity_id},
    services::{Call, Done},
    state::{Permissions, User},
};

pub(super) fn create(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&["UserName", "Path", "PermissionsBoundary", "Tags"])?;
    let name = params.name("UserName", 64)?;
    let path = params.path()?;
    let arn = format!("arn:aws:iam::{}:user{path}{name}", call.state.account);
    let mut ask = Ask::new("iam:CreateUser", &arn);
    if let Some(boundary) = params.get("PermissionsBoundary") {
        ask = ask.context("iam:PermissionsBoundary", boundary);
    }
    call.gate.check(call.state, ask)?;
    if call.state.users.keys().any(|other| other.eq_ignore_ascii_case(name)) {
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
        tags: params.tags(),
    };
    let xml = shown(&user);
    call.state.users.insert(name.to_owned(), user);
    Ok(Some(xml))
}

/// Without `UserName`, the user who asks.
pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName"])?;
    let name = match call.params.get("UserName") {
        Some(_) => call.params.name("UserName", 64)?.to_owned(),
        None => own_name(call)?,
    };
    check(call, "iam:GetUser", &name)?;
    let user = call.state.users.get(&name).ok_or_else(|| no_user(&name))?;
    Ok(Some(shown(user)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName"])?;
    let name = call.params.name("UserName", 64)?.to_owned();
    check(call, "iam:DeleteUser", &name)?;
    let user = call.state.users.get(&name).ok_or_else(|| no_user(&name))?;
    if !call.state.keys.of_user(&name).is_empty() {
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
    call.state.users.remove(&name);
    Ok(None)
}

/// There are no groups here, so that a user is in none; who removes a user asks first.
pub(super) fn list_groups(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName", "Marker", "MaxItems"])?;
    let name = call.params.name("UserName", 64)?.to_owned();
    check(call, "iam:ListGroupsForUser", &name)?;
    if !call.state.users.contains_key(&name) {
        return Err(no_user(&name));
    }
    page::write::<()>(call.params, "Groups", &[], |_, ()| {}).map(Some)
}

/// Asks for an action on a user.
pub(super) fn check(call: &mut Call<'_>, action: &str, name: &str) -> Result<(), Refusal> {
    let ask = Ask::new(action, &user_arn(call.state, name)).shown(format!("user {name}"));
    call.gate.check(call.state, ask)
}

/// The name of the user who asks.
///
/// # Errors
/// Whoever asks is no user.
pub(super) fn own_name(call: &Call<'_>) -> Result<String, Refusal> {
    match &call.gate.who().identity {
        Identity::User { name, .. } => Ok(name.clone()),
        _ => Err(Refusal::validation(
            "Must specify userName when calling with non-User credentials",
        )),
    }
}

fn shown(user: &User) -> Xml {
    let mut xml = Xml::new();
    xml.element("User", |xml| {
        xml.text("Path", &user.path)
            .text("UserName", &user.name)
            .text("UserId", &user.id)
            .text("Arn", &user.arn)
            .text("CreateDate", &iso8601(user.created));
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
