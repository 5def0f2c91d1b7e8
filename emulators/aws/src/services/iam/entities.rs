use super::{
    page,
    policy::{checked, not_found},
};
use crate::{
    answer::{Refusal, Xml},
    services::{Call, Done},
    state::Permissions,
};

/// What a policy hangs on, in the order of the lists.
struct Holder<'a> {
    list: &'static str,
    kind: &'static str,
    path: &'a str,
    name: &'a str,
    id: &'a str,
    permissions: &'a Permissions,
}

const LISTS: [(&str, &str); 3] = [
    ("PolicyGroups", "Group"),
    ("PolicyUsers", "User"),
    ("PolicyRoles", "Role"),
];

/// The groups, users and roles that a managed policy is attached to or the boundary of.
pub(super) fn list_for_policy(call: &mut Call<'_>) -> Done {
    call.params.only(&[
        "PolicyArn",
        "EntityFilter",
        "PathPrefix",
        "PolicyUsageFilter",
        "Marker",
        "MaxItems",
    ])?;
    let arn = checked(call, "iam:ListEntitiesForPolicy")?;
    let one_of = |name: &str, known: &[&str]| match call.params.get(name) {
        Some(odd) if !known.contains(&odd) => Err(Refusal::validation(format!(
            "1 validation error detected: Value '{odd}' at '{name}' failed to satisfy constraint: Member must satisfy \
             enum value set: [{}]",
            known.join(", ")
        ))),
        value => Ok(value),
    };
    let entity = one_of(
        "EntityFilter",
        &["Role", "User", "Group", "LocalManagedPolicy", "AWSManagedPolicy"],
    )?;
    let usage = one_of("PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"])?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let iam = &call.state[call.account];
    if !iam.policies.contains_key(&arn) {
        return Err(not_found(&arn));
    }
    let groups = iam
        .groups
        .values()
        .map(|group| (0, &group.path, &group.name, &group.id, &group.permissions));
    let users = iam
        .users
        .values()
        .map(|user| (1, &user.path, &user.name, &user.id, &user.permissions));
    let roles = iam
        .roles
        .values()
        .map(|role| (2, &role.path, &role.name, &role.id, &role.permissions));
    let holders: Vec<Holder<'_>> = groups
        .chain(users)
        .chain(roles)
        .map(|(of, path, name, id, permissions): (usize, _, _, _, _)| Holder {
            list: LISTS[of].0,
            kind: LISTS[of].1,
            path,
            name,
            id,
            permissions,
        })
        .filter(|holder| entity.is_none_or(|kind| holder.kind == kind) && holder.path.starts_with(prefix))
        .filter(|holder| holder.has(&arn, usage))
        .collect();
    let range = page::range(call.params, holders.len())?;
    let end = range.end;
    let page = &holders[range];
    let mut xml = Xml::new();
    for (list, kind) in LISTS {
        xml.element(list, |xml| {
            for holder in page.iter().filter(|holder| holder.list == list) {
                xml.element("member", |xml| {
                    xml.text(&format!("{kind}Name"), holder.name)
                        .text(&format!("{kind}Id"), holder.id);
                });
            }
        });
    }
    page::write_end(&mut xml, end, holders.len());
    Ok(Some(xml))
}

// === impl Holder ===

impl Holder<'_> {
    fn has(&self, arn: &str, usage: Option<&str>) -> bool {
        let attached = self.permissions.attached.iter().any(|attached| attached.arn == arn);
        let boundary = self
            .permissions
            .boundary
            .as_ref()
            .is_some_and(|boundary| boundary.arn == arn);
        match usage {
            Some("PermissionsPolicy") => attached,
            Some(_) => boundary,
            None => attached || boundary,
        }
    }
}
