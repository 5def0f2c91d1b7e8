use iam_policy::{Attached, Policies, Policy};
use jiff::Timestamp;

use super::Ask;
use crate::{
    identity::{Identity, UserRef, Who},
    state::{Iam, Permissions, State},
};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The policies that apply to a question, and since when each of them is in force.
#[derive(Default)]
pub(super) struct Gathered<'a> {
    pub(super) policies: Policies<'a>,
    pub(super) since: Vec<(String, Timestamp)>,
    /// Whether any of them looks at the context.
    pub(super) read_context: bool,
}

// === impl Gathered ===

impl<'a> Gathered<'a> {
    pub(super) fn new(state: &'a State, who: &'a Who, ask: &'a Ask) -> Self {
        let mut gathered = Self::default();
        if let Some(account) = who.account {
            gathered.add_identity(state.seen(account), &who.identity);
        }
        if let Some(session) = &who.session {
            for (name, policy) in &session.policies {
                let attached = gathered.attach(name.clone(), policy, session.issued);
                gathered.policies.session.push(attached);
            }
        }
        if let Some(resource) = &ask.resource_policy {
            gathered.policies.resource = Some(gathered.attach(resource.name.clone(), &resource.policy, resource.since));
        }
        gathered
    }

    fn add_identity(&mut self, iam: &'a Iam, identity: &Identity) {
        match identity {
            Identity::User(user) => self.add_user(iam, user),
            Identity::Role(session) => {
                if let Some(role) = iam.roles.get(&session.role_name) {
                    self.add_permissions(iam, &role.permissions, "");
                }
            }
            Identity::Federated(session) => {
                if let Some(user) = &session.by {
                    self.add_user(iam, user);
                } else if let Some(all) = iam.policies.get(ADMINISTRATOR) {
                    // Root asked, who may everything in its account.
                    let attached = self.attach(
                        "permissions of the root user".to_owned(),
                        &all.default.document.policy,
                        all.created,
                    );
                    self.policies.identity.push(attached);
                }
            }
            // The evaluator knows what the root user may; nobody else has policies of their own.
            Identity::Root | Identity::Anonymous => {}
        }
    }

    /// What a user may: by its own policies and by those of its groups.
    fn add_user(&mut self, iam: &'a Iam, user: &UserRef) {
        let Some(user) = iam.users.get(&user.name) else { return };
        self.add_permissions(iam, &user.permissions, "");
        for group in iam.groups.values().filter(|group| group.members.contains(&user.name)) {
            self.add_permissions(iam, &group.permissions, &format!(" of group {}", group.name));
        }
    }

    fn add_permissions(&mut self, iam: &'a Iam, permissions: &'a Permissions, of: &str) {
        for (name, inline) in &permissions.inline {
            let attached = self.attach(format!("inline policy {name}{of}"), &inline.document.policy, inline.at);
            self.policies.identity.push(attached);
        }
        for attachment in &permissions.attached {
            // A policy cannot be deleted while it is attached.
            if let Some(policy) = iam.policies.get(&attachment.arn) {
                let name = format!("managed policy {} v{}{of}", policy.name, policy.default.number);
                let attached = self.attach(
                    name,
                    &policy.default.document.policy,
                    attachment.at.max(policy.default_since),
                );
                self.policies.identity.push(attached);
            }
        }
        if let Some(boundary) = &permissions.boundary
            && let Some(policy) = iam.policies.get(&boundary.arn)
        {
            let name = format!("permissions boundary {} {}", policy.name, policy.default.id());
            self.policies.boundary = Some(self.attach(
                name,
                &policy.default.document.policy,
                boundary.at.max(policy.default_since),
            ));
        }
    }

    fn attach(&mut self, name: String, policy: &'a Policy, at: Timestamp) -> Attached<'a> {
        self.since.push((name.clone(), at));
        self.read_context |= policy.reads_context();
        Attached { name, policy }
    }
}
