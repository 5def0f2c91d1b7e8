//! Roles, their policies and kops' instance profiles, through IAM.

use std::collections::BTreeMap;

use rolecall_scenario::{
    Spanned,
    model::{ClusterSpec, Document, Role, Trust},
};

use super::{AwsOperator, aws::refusal, documents::assume_any_role, kops};
use crate::world::WorldError;

/// The name of the inline policy that kops makes of `additionalPolicies`.
const ADDITIONAL: &str = "additional";

// === impl AwsOperator: roles ===

impl AwsOperator {
    /// kops' two roles, each in an instance profile of its own name.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what IAM said.
    pub(crate) async fn create_cluster_roles(&self, cluster: &ClusterSpec) -> Result<(), WorldError> {
        let ec2 = self.documents.trust(&Trust::Ec2)?;
        for role in [self.names.node_role(), self.names.master_role()] {
            self.create_role(&role, &ec2, None).await?;
            let what = format!("create instance profile {role}");
            let failed = |error: &dyn std::error::Error| WorldError::doing(&what, error);
            self.iam
                .create_instance_profile()
                .instance_profile_name(&role)
                .send()
                .await
                .map_err(|e| failed(&e))?;
            let add = self
                .iam
                .add_role_to_instance_profile()
                .instance_profile_name(&role)
                .role_name(&role);
            add.send().await.map_err(|e| failed(&e))?;
        }
        self.apply_base(cluster).await?;
        let node = cluster
            .node_policies
            .as_ref()
            .map_or_else(assume_any_role, |list| list.value.clone());
        self.set_additional(&self.names.node_role(), self.documents.statements(&node))
            .await?;
        if let Some(master) = &cluster.master_policies {
            self.set_additional(&self.names.master_role(), self.documents.statements(&master.value))
                .await?;
        }
        Ok(())
    }

    /// `base: kops` adds kops' own base policies; without it the roles have the additional ones alone.
    async fn apply_base(&self, cluster: &ClusterSpec) -> Result<(), WorldError> {
        let (node, master) = (self.names.node_role(), self.names.master_role());
        if cluster.base.as_deref() == Some("kops") {
            // kops names the policy like its role.
            self.put_inline(&node, &node, kops::node().to_string()).await?;
            self.put_inline(&master, &master, kops::master().to_string()).await?;
        } else if cluster.restored.contains("base") {
            self.delete_inline(&node, &node).await?;
            self.delete_inline(&master, &master).await?;
        }
        Ok(())
    }

    /// Changes `additionalPolicies` as `kops update cluster` does.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what IAM said.
    pub(crate) async fn apply_cluster(&self, cluster: &ClusterSpec) -> Result<(), WorldError> {
        self.apply_base(cluster).await?;
        let node = match &cluster.node_policies {
            Some(list) => Some(list.value.clone()),
            None => cluster.restored.contains("node").then(assume_any_role),
        };
        if let Some(list) = node {
            self.set_additional(&self.names.node_role(), self.documents.statements(&list))
                .await?;
        }
        if cluster.restored.contains("master") {
            self.set_additional(&self.names.master_role(), None).await?;
        }
        if let Some(list) = &cluster.master_policies {
            self.set_additional(&self.names.master_role(), self.documents.statements(&list.value))
                .await?;
        }
        Ok(())
    }

    /// Makes roles that are not there and changes those that are: a key that is named replaces its value whole.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what IAM said.
    pub(crate) async fn apply_roles(&self, roles: &BTreeMap<String, Spanned<Role>>) -> Result<(), WorldError> {
        for (name, role) in roles {
            match &role.account {
                None => self.apply_role(name, role).await?,
                Some(account) => self.in_account(&account.value)?.apply_role(name, role).await?,
            }
        }
        Ok(())
    }

    async fn apply_role(&self, full_name: &str, role: &Role) -> Result<(), WorldError> {
        let (path, name) = path_and_name(full_name);
        let trust = match &role.trust {
            Some(trust) => Some(self.documents.trust(&trust.value)?),
            None if role.restored.contains("trust") => Some(self.documents.trust(&Trust::Node { external_id: None })?),
            None => None,
        };
        match self.iam.get_role().role_name(name).send().await {
            Ok(_) => {
                if let Some(trust) = trust {
                    let update = self
                        .iam
                        .update_assume_role_policy()
                        .role_name(name)
                        .policy_document(trust);
                    update
                        .send()
                        .await
                        .map_err(|error| self.refused(format!("change the trust of {name}"), &error))?;
                }
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_no_such_entity_exception()) =>
            {
                let trust = match trust {
                    Some(trust) => trust,
                    None => self.documents.trust(&Trust::Node { external_id: None })?,
                };
                self.create_role(name, &trust, path.as_deref()).await?;
            }
            Err(error) => return Err(self.refused(format!("get role {name}"), &error)),
        }
        // An hour is what IAM gives a role that says nothing.
        let restored = role.restored.contains("max_session").then_some(3600);
        if let Some(seconds) = role.max_session.map(|duration| duration.as_secs()).or(restored) {
            let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
            let update = self.iam.update_role().role_name(name).max_session_duration(seconds);
            update
                .send()
                .await
                .map_err(|error| self.refused(format!("update role {name}"), &error))?;
        }
        if let Some(boundary) = &role.boundary {
            let arn = self.documents.policy_arn(&boundary.value);
            let put = self
                .iam
                .put_role_permissions_boundary()
                .role_name(name)
                .permissions_boundary(arn);
            put.send()
                .await
                .map_err(|error| self.refused(format!("bound role {name}"), &error))?;
        }
        if role.restored.contains("boundary") {
            let delete = self.iam.delete_role_permissions_boundary().role_name(name);
            delete
                .send()
                .await
                .map_err(|error| self.refused(format!("unbound role {name}"), &error))?;
        }
        if let Some(policies) = &role.policies {
            self.set_managed(name, policies).await?;
        } else if role.restored.contains("policies") {
            self.set_managed(name, &[]).await?;
        }
        if let Some(inline) = &role.inline {
            self.set_inline(name, inline).await?;
        } else if role.restored.contains("inline") {
            self.set_inline(name, &BTreeMap::new()).await?;
        }
        Ok(())
    }

    async fn create_role(&self, name: &str, trust: &str, path: Option<&str>) -> Result<(), WorldError> {
        let create = self
            .iam
            .create_role()
            .role_name(name)
            .assume_role_policy_document(trust);
        let create = create.set_path(path.map(str::to_owned));
        create
            .send()
            .await
            .map_err(|error| self.refused(format!("create role {name}"), &error))?;
        Ok(())
    }

    async fn set_managed(&self, role: &str, policies: &[Spanned<String>]) -> Result<(), WorldError> {
        let due: Vec<String> = policies
            .iter()
            .map(|policy| self.documents.policy_arn(&policy.value))
            .collect();
        let list = self.iam.list_attached_role_policies().role_name(role).send().await;
        let attached: Vec<String> = list
            .map_err(|error| self.refused(format!("list the policies of {role}"), &error))?
            .attached_policies()
            .iter()
            .filter_map(|policy| policy.policy_arn().map(str::to_owned))
            .collect();
        for arn in attached.iter().filter(|arn| !due.contains(arn)) {
            let detach = self.iam.detach_role_policy().role_name(role).policy_arn(arn);
            detach
                .send()
                .await
                .map_err(|error| self.refused(format!("detach {arn} from {role}"), &error))?;
        }
        for arn in due.iter().filter(|arn| !attached.contains(arn)) {
            let attach = self.iam.attach_role_policy().role_name(role).policy_arn(arn);
            attach
                .send()
                .await
                .map_err(|error| self.refused(format!("attach {arn} to {role}"), &error))?;
        }
        Ok(())
    }

    async fn set_inline(&self, role: &str, inline: &BTreeMap<String, Spanned<Document>>) -> Result<(), WorldError> {
        let list = self.iam.list_role_policies().role_name(role).send().await;
        let present = list.map_err(|error| self.refused(format!("list the inline policies of {role}"), &error))?;
        for name in present.policy_names().iter().filter(|name| !inline.contains_key(*name)) {
            self.delete_inline(role, name).await?;
        }
        for (name, document) in inline {
            self.put_inline(role, name, self.documents.text(&document.value)?)
                .await?;
        }
        Ok(())
    }

    async fn set_additional(&self, role: &str, document: Option<String>) -> Result<(), WorldError> {
        let name = format!("{ADDITIONAL}.{role}");
        match document {
            Some(document) => self.put_inline(role, &name, document).await,
            None => {
                let present = self
                    .iam
                    .get_role_policy()
                    .role_name(role)
                    .policy_name(&name)
                    .send()
                    .await
                    .is_ok();
                if present {
                    self.delete_inline(role, &name).await
                } else {
                    Ok(())
                }
            }
        }
    }

    async fn put_inline(&self, role: &str, name: &str, document: String) -> Result<(), WorldError> {
        let put = self
            .iam
            .put_role_policy()
            .role_name(role)
            .policy_name(name)
            .policy_document(document);
        put.send()
            .await
            .map_err(|error| self.refused(format!("put policy {name} of {role}"), &error))?;
        Ok(())
    }

    async fn delete_inline(&self, role: &str, name: &str) -> Result<(), WorldError> {
        let delete = self.iam.delete_role_policy().role_name(role).policy_name(name);
        delete
            .send()
            .await
            .map_err(|error| self.refused(format!("delete policy {name} of {role}"), &error))?;
        Ok(())
    }

    pub(super) fn refused<E>(&self, what: String, error: &E) -> WorldError
    where
        E: std::error::Error + aws_smithy_types::error::metadata::ProvideErrorMetadata,
    {
        WorldError::Refused(refusal(&what, error))
    }
}

/// `a/b/R` → (`/a/b/`, `R`).
fn path_and_name(full: &str) -> (Option<String>, &str) {
    match full.rsplit_once('/') {
        None => (None, full),
        Some((path, name)) => (Some(format!("/{path}/")), name),
    }
}
