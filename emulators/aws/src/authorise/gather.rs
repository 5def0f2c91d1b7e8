use iam_policy::{Attached, Policies, Policy};
use jiff::Timestamp;

use super::Ask;
use crate::{
    identity::{Identity, Who},
    state::{Permissions, State},
};

/// The policies that apply to a question, and since when each of them is in force.
#[derive(Default)]
pub(super) struct Gathered<'a> {
    pub(super) policies: Policies<'a>,
    pub(super) since: Vec<(String, Timestamp)>,
}

// === impl Gathered ===

impl<'a> Gathered<'a> {
    pub(super) fn new(state: &'a State, who: &'a Who, ask: &'a Ask) -> Self {
        let mut gathered = Self::default();
        match &who.identity {
            Identity::User { name, .. } => {
                if let Some(user) = state.users.get(name) {
                    gathered.add_permissions(state, &user.permissions);
                }
            }
            Identity::Session(session) => {
                if let Some(role) = state.roles.get(&session.role_name) {
                    gathered.add_permissions(state, &role.permissions);
                }
                for (name, policy) in &session.policies {
                    let attached = gathered.attach(name.clone(), policy, session.issued);
                    gathered.policies.session.push(attached);
                }
            }
            // The evaluator knows what the root user may; nobody else has policies of their own.
            Identity::Root | Identity::Anonymous => {}
        }
        if let Some(resource) = &ask.resource_policy {
            gathered.policies.resource = Some(gathered.attach(resource.name.clone(), &resource.policy, resource.since));
        }
        gathered
    }

    fn add_permissions(&mut self, state: &'a State, permissions: &'a Permissions) {
        for (name, inline) in &permissions.inline {
            let attached = self.attach(format!("inline policy {name}"), &inline.document.policy, inline.at);
            self.policies.identity.push(attached);
        }
        for attachment in &permissions.attached {
            // A policy cannot be deleted while it is attached.
            if let Some(policy) = state.policies.get(&attachment.arn) {
                let name = format!("managed policy {}", policy.name);
                let attached = self.attach(name, &policy.document.policy, attachment.at);
                self.policies.identity.push(attached);
            }
        }
        if let Some(boundary) = &permissions.boundary
            && let Some(policy) = state.policies.get(&boundary.arn)
        {
            let name = format!("permissions boundary {}", policy.name);
            self.policies.boundary = Some(self.attach(name, &policy.document.policy, boundary.at));
        }
    }

    fn attach(&mut self, name: String, policy: &'a Policy, at: Timestamp) -> Attached<'a> {
        self.since.push((name.clone(), at));
        Attached { name, policy }
    }
}
