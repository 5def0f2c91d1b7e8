//! IAM users and their access keys.

use std::{collections::BTreeMap, sync::PoisonError};

use rolecall_scenario::{Spanned, model::User};

use super::AwsOperator;
use crate::{check::Keys, secrets::learn_keys, world::WorldError};

// === impl AwsOperator: users ===

impl AwsOperator {
    /// Makes users that are not there and changes those that are.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what IAM said.
    pub(crate) async fn apply_users(&self, users: &BTreeMap<String, Spanned<User>>) -> Result<(), WorldError> {
        for (name, user) in users {
            self.apply_user(name, user).await?;
        }
        Ok(())
    }

    /// The access key that a scenario calls by this name.
    pub(crate) fn user_keys(&self, name: &str) -> Option<Keys> {
        self.user_keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    async fn apply_user(&self, name: &str, user: &User) -> Result<(), WorldError> {
        let iam = &self.iam;
        let refused = |what: String| move |error: &dyn std::error::Error| WorldError::doing(what, error);
        if let Err(error) = iam.create_user().user_name(name).send().await {
            let exists = error
                .as_service_error()
                .is_some_and(|error| error.is_entity_already_exists_exception());
            if !exists {
                return Err(self.refused(format!("create user {name}"), &error));
            }
        }
        if user.policies.is_some() || user.restored.contains("policies") {
            let due: Vec<String> = user
                .policies
                .iter()
                .flatten()
                .map(|policy| self.documents.policy_arn(&policy.value))
                .collect();
            let list = iam.list_attached_user_policies().user_name(name).send().await;
            let list = list.map_err(|error| self.refused(format!("list the policies of user {name}"), &error))?;
            let attached: Vec<&str> = list
                .attached_policies()
                .iter()
                .filter_map(|policy| policy.policy_arn())
                .collect();
            for arn in attached.iter().filter(|arn| due.iter().all(|due| due != *arn)) {
                let detach = iam.detach_user_policy().user_name(name).policy_arn(*arn).send().await;
                detach.map_err(|error| refused(format!("detach {arn} from user {name}"))(&error))?;
            }
            for arn in due.iter().filter(|arn| !attached.contains(&arn.as_str())) {
                let attach = iam.attach_user_policy().user_name(name).policy_arn(arn).send().await;
                attach.map_err(|error| self.refused(format!("attach {arn} to user {name}"), &error))?;
            }
        }
        if user.inline.is_some() || user.restored.contains("inline") {
            let empty = BTreeMap::new();
            let due = user.inline.as_ref().unwrap_or(&empty);
            let list = iam.list_user_policies().user_name(name).send().await;
            let list =
                list.map_err(|error| self.refused(format!("list the inline policies of user {name}"), &error))?;
            for policy in list.policy_names().iter().filter(|policy| !due.contains_key(*policy)) {
                let delete = iam
                    .delete_user_policy()
                    .user_name(name)
                    .policy_name(policy)
                    .send()
                    .await;
                delete.map_err(|error| refused(format!("delete policy {policy} of user {name}"))(&error))?;
            }
            for (policy, document) in due {
                let text = self.documents.text(document)?;
                let put = iam
                    .put_user_policy()
                    .user_name(name)
                    .policy_name(policy)
                    .policy_document(text);
                put.send()
                    .await
                    .map_err(|error| self.refused(format!("put policy {policy} of user {name}"), &error))?;
            }
        }
        if let Some(called) = &user.access_key
            && self.user_keys(&called.value).is_none()
        {
            let keys = self.new_key(name).await?;
            self.user_keys
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(called.value.clone(), keys);
        }
        Ok(())
    }

    /// A further access key of a user.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what IAM said.
    pub(super) async fn new_key(&self, name: &str) -> Result<Keys, WorldError> {
        let created = self.iam.create_access_key().user_name(name).send().await;
        let created = created.map_err(|error| self.refused(format!("create a key of user {name}"), &error))?;
        let Some(key) = created.access_key() else {
            return Err(WorldError::new(format!(
                "IAM made a key of user {name} and did not tell it"
            )));
        };
        let keys = Keys {
            access_key_id: key.access_key_id().to_owned(),
            secret_access_key: key.secret_access_key().to_owned(),
            session_token: None,
            expiration: None,
        };
        learn_keys(&keys);
        Ok(keys)
    }
}
