use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    answer::{Refusal, Xml},
    authorise::Ask,
    services::tags,
    state::{Iam, Tags},
};

const ENCODE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A policy document as IAM returns it: percent-encoded.
pub(super) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ENCODE).to_string()
}

/// The ARN of a role, with its path if it exists.
pub(super) fn role_arn(iam: &Iam, name: &str) -> String {
    match iam.roles.get(name) {
        Some(role) => role.arn.clone(),
        None => format!("arn:aws:iam::{}:role/{name}", iam.account),
    }
}

/// A question about a role, with its tags.
pub(super) fn ask_role(iam: &Iam, action: &str, name: &str) -> Ask {
    let ask = Ask::new(action, role_arn(iam, name)).shown(format!("role {name}"));
    match iam.roles.get(name) {
        Some(role) => tags::of_resource(ask, &role.tags),
        None => ask,
    }
}

/// A question about a user, with its tags.
pub(super) fn ask_user(iam: &Iam, action: &str, name: &str) -> Ask {
    let ask = Ask::new(action, user_arn(iam, name)).shown(format!("user {name}"));
    match iam.users.get(name) {
        Some(user) => tags::of_resource(ask, &user.tags),
        None => ask,
    }
}

/// The ARN of a user, with its path if it exists.
pub(super) fn user_arn(iam: &Iam, name: &str) -> String {
    match iam.users.get(name) {
        Some(user) => user.arn.clone(),
        None => format!("arn:aws:iam::{}:user/{name}", iam.account),
    }
}

/// The ARN of an instance profile, with its path if it exists.
pub(super) fn profile_arn(iam: &Iam, name: &str) -> String {
    match iam.profiles.get(name) {
        Some(profile) => profile.arn.clone(),
        None => format!("arn:aws:iam::{}:instance-profile/{name}", iam.account),
    }
}

/// The ARN of a group, with its path if it exists.
pub(super) fn group_arn(iam: &Iam, name: &str) -> String {
    match iam.groups.get(name) {
        Some(group) => group.arn.clone(),
        None => format!("arn:aws:iam::{}:group/{name}", iam.account),
    }
}

pub(super) fn no_role(name: &str) -> Refusal {
    Refusal::no_such_entity(format!("The role with name {name} cannot be found."))
}

pub(super) fn no_user(name: &str) -> Refusal {
    Refusal::no_such_entity(format!("The user with name {name} cannot be found."))
}

pub(super) fn no_group(name: &str) -> Refusal {
    Refusal::no_such_entity(format!("The group with name {name} cannot be found."))
}

pub(super) fn no_policy(arn: &str) -> Refusal {
    Refusal::no_such_entity(format!("Policy {arn} does not exist or is not attachable."))
}

/// `<Tags>`, left out if there are none.
pub(super) fn write_tags(xml: &mut Xml, tags: &Tags) {
    if tags.is_empty() {
        return;
    }
    xml.element("Tags", |xml| {
        for (key, value) in tags {
            xml.element("member", |xml| {
                xml.text("Key", key).text("Value", value);
            });
        }
    });
}
