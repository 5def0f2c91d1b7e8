use super::{
    names::{encoded, write_tags},
    page, policy, policy_version, profile,
    user::write_user,
};
use crate::{
    answer::{Refusal, Xml, iso8601},
    authorise::Ask,
    services::{Call, Done},
    state::{Attached, Group, Iam, ManagedPolicy, Permissions, Role, User},
};

/// What the details are of, in the order of the lists.
#[derive(Clone, Copy)]
enum Detail<'a> {
    User(&'a User),
    Group(&'a Group),
    Role(&'a Role),
    Policy(&'a ManagedPolicy),
}

const KINDS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];

/// All users, groups, roles and policies of the account with what hangs on them (GetAccountAuthorizationDetails).
pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.params.only(&["Filter", "Marker", "MaxItems"])?;
    let wanted = call.params.list("Filter", "");
    if let Some(odd) = wanted.iter().find(|kind| !KINDS.contains(kind)) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '[{odd}]' at 'filter' failed to satisfy constraint: Member must satisfy \
             constraint: [Member must satisfy enum value set: [{}]]",
            KINDS.join(", ")
        )));
    }
    call.gate
        .check(call.state, Ask::new("iam:GetAccountAuthorizationDetails", "*"))?;
    let iam = &call.state[call.account];
    let users = iam.users.values().map(Detail::User);
    let groups = iam.groups.values().map(Detail::Group);
    let roles = iam.roles.values().map(Detail::Role);
    // Of AWS's own those that are in use.
    let used = |arn: &str| iam.attachments(arn) + iam.boundaries(arn) > 0;
    let policies = iam
        .policies
        .values()
        .filter(|policy| !policy.is_aws() || used(&policy.arn))
        .map(Detail::Policy);
    let details: Vec<Detail<'_>> = users
        .chain(groups)
        .chain(roles)
        .chain(policies)
        .filter(|detail| wanted.is_empty() || wanted.contains(&detail.kind()))
        .collect();
    let range = page::range(call.params, details.len())?;
    let end = range.end;
    let page = &details[range];
    let mut xml = Xml::new();
    for list in ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"] {
        xml.element(list, |xml| {
            for detail in page.iter().filter(|detail| detail.list() == list) {
                xml.element("member", |xml| detail.write(xml, iam));
            }
        });
    }
    page::write_end(&mut xml, end, details.len());
    Ok(Some(xml))
}

// === impl Detail ===

impl Detail<'_> {
    /// Its name among the filters.
    fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "User",
            Self::Group(_) => "Group",
            Self::Role(_) => "Role",
            Self::Policy(policy) if policy.is_aws() => "AWSManagedPolicy",
            Self::Policy(_) => "LocalManagedPolicy",
        }
    }

    fn list(&self) -> &'static str {
        match self {
            Self::User(_) => "UserDetailList",
            Self::Group(_) => "GroupDetailList",
            Self::Role(_) => "RoleDetailList",
            Self::Policy(_) => "Policies",
        }
    }

    fn write(&self, xml: &mut Xml, iam: &Iam) {
        match self {
            Self::User(user) => {
                write_user(xml, user);
                write_permissions(xml, "UserPolicyList", iam, &user.permissions);
                xml.element("GroupList", |xml| {
                    let groups = iam.groups.values();
                    for group in groups.filter(|group| group.members.contains(&user.name)) {
                        xml.text("member", &group.name);
                    }
                });
                write_tags(xml, &user.tags);
            }
            Self::Group(group) => {
                super::group::write(xml, group);
                write_permissions(xml, "GroupPolicyList", iam, &group.permissions);
            }
            Self::Role(role) => {
                xml.text("Path", &role.path)
                    .text("RoleName", &role.name)
                    .text("RoleId", &role.id)
                    .text("Arn", &role.arn)
                    .text("CreateDate", &iso8601(role.created))
                    .text("AssumeRolePolicyDocument", &encoded(&role.trust.text))
                    .element("InstanceProfileList", |xml| {
                        let profiles = iam.profiles.values();
                        for found in profiles.filter(|profile| profile.role.as_ref() == Some(&role.name)) {
                            xml.element("member", |xml| profile::write(xml, iam, found));
                        }
                    });
                write_permissions(xml, "RolePolicyList", iam, &role.permissions);
                write_tags(xml, &role.tags);
            }
            Self::Policy(found) => {
                policy::write(xml, iam, found);
                xml.optional("Description", found.description.as_deref())
                    .element("PolicyVersionList", |xml| {
                        for (version, in_force) in found.versions() {
                            xml.element("member", |xml| policy_version::write(xml, version, in_force, true));
                        }
                    });
            }
        }
    }
}

fn write_permissions(xml: &mut Xml, inline: &str, iam: &Iam, permissions: &Permissions) {
    xml.element(inline, |xml| {
        for (name, policy) in &permissions.inline {
            xml.element("member", |xml| {
                xml.text("PolicyName", name)
                    .text("PolicyDocument", &encoded(&policy.document.text));
            });
        }
    })
    .element("AttachedManagedPolicies", |xml| {
        let found = |attached: &Attached| iam.policies.get(&attached.arn);
        for policy in permissions.attached.iter().filter_map(found) {
            xml.element("member", |xml| {
                xml.text("PolicyName", &policy.name).text("PolicyArn", &policy.arn);
            });
        }
    });
    if let Some(boundary) = &permissions.boundary {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy")
                .text("PermissionsBoundaryArn", &boundary.arn);
        });
    }
}
