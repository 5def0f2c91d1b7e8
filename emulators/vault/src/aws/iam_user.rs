//! An IAM user for each lease.

use std::sync::Arc;

use secrecy::SecretString;

use super::{
    config::Root,
    name,
    query::{self, AwsError, Endpoint},
    role::Role,
};
use crate::{core::Core, reaper::HALF_MADE, reply::Refusal};

/// A user that was made, and its key.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) access_key: String,
    pub(super) secret_key: SecretString,
}

/// Makes a user as a role describes it. What fails after it was made leaves it in IAM; it is deleted when it is five
/// minutes old.
///
/// # Errors
/// What AWS said, with what was being done.
pub(super) async fn create(
    core: &Arc<Core>,
    mount: &str,
    root: &Root,
    role: &Role,
    (display_name, role_name): (&str, &str),
) -> Result<Made, Refusal> {
    let now = core.now();
    let name = name::of_user(display_name, role_name, now);
    let iam = root.iam(&core.region);
    let due = now.saturating_add(HALF_MADE).unwrap_or(jiff::Timestamp::MAX);
    if let Some(aws) = core.state().mounts.aws_mut(mount) {
        aws.half_made.insert(name.clone(), due);
    }
    let forget = || {
        if let Some(aws) = core.state().mounts.aws_mut(mount) {
            aws.half_made.remove(&name);
        }
    };
    let path = if role.user_path.is_empty() {
        "/"
    } else {
        &role.user_path
    };
    let mut params = vec![("UserName", name.as_str()), ("Path", path)];
    if !role.boundary.is_empty() {
        params.push(("PermissionsBoundary", &role.boundary));
    }
    let doing = |what: &'static str| move |error: AwsError| error.refusal(what);
    if let Err(error) = query::call(core, root, &iam, "CreateUser", &params).await {
        forget();
        return Err(error.refusal("Error creating IAM user"));
    }
    let user = ("UserName", name.as_str());
    for arn in &role.policy_arns {
        let params = [user, ("PolicyArn", arn)];
        let done = query::call(core, root, &iam, "AttachUserPolicy", &params).await;
        done.map_err(doing("Error attaching user policy"))?;
    }
    if !role.policy_document.is_empty() {
        let params = [
            user,
            ("PolicyName", role_name),
            ("PolicyDocument", &role.policy_document),
        ];
        let done = query::call(core, root, &iam, "PutUserPolicy", &params).await;
        done.map_err(doing("Error putting user policy"))?;
    }
    for group in &role.iam_groups {
        let done = query::call(core, root, &iam, "AddUserToGroup", &[user, ("GroupName", group)]).await;
        done.map_err(doing("Error adding user to group"))?;
    }
    if !role.iam_tags.is_empty() {
        let named: Vec<(String, &str)> = super::sts::members("Tags", &role.iam_tags);
        let mut params: Vec<(&str, &str)> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        params.push(user);
        let done = query::call(core, root, &iam, "TagUser", &params).await;
        done.map_err(doing("Error adding tags to user"))?;
    }
    let made = query::call(core, root, &iam, "CreateAccessKey", &[user]).await;
    let made = made.map_err(doing("Error creating access keys"))?;
    let (Some(access_key), Some(secret_key)) = (made.text("AccessKeyId"), made.text("SecretAccessKey")) else {
        return Err(Refusal::bad("Error creating access keys: the answer has none"));
    };
    forget();
    Ok(Made {
        name,
        access_key,
        secret_key: secret_key.into(),
    })
}

/// Deletes a user with all that hangs on it. One that IAM does not know is deleted, if it `may_be_gone`.
///
/// # Errors
/// AWS's words.
pub(crate) async fn delete(core: &Arc<Core>, mount: &str, name: &str, may_be_gone: bool) -> Result<(), String> {
    let root = core.state().mounts.aws(mount).and_then(|aws| aws.root.clone());
    let root = root.ok_or_else(|| no_credentials().to_string())?;
    let iam = root.iam(&core.region);
    match deleted(core, &root, &iam, name).await {
        Err(error) if may_be_gone && error.code() == "NoSuchEntity" => Ok(()),
        done => done.map_err(|error| error.to_string()),
    }
}

async fn deleted(core: &Core, root: &Root, iam: &Endpoint, name: &str) -> Result<(), AwsError> {
    let user = ("UserName", name);
    let all = [user, ("MaxItems", "1000")];
    let list = async |action: &str, end: &str| {
        let document = query::call(core, root, iam, action, &all).await?;
        Ok::<Vec<String>, AwsError>(document.all(end).map(str::to_owned).collect())
    };
    let groups = list("ListGroupsForUser", "member/GroupName").await?;
    let inline = list("ListUserPolicies", "PolicyNames/member").await?;
    let attached = list("ListAttachedUserPolicies", "member/PolicyArn").await?;
    let keys = list("ListAccessKeys", "member/AccessKeyId").await?;
    for key in &keys {
        query::call(core, root, iam, "DeleteAccessKey", &[user, ("AccessKeyId", key)]).await?;
    }
    for arn in &attached {
        query::call(core, root, iam, "DetachUserPolicy", &[user, ("PolicyArn", arn)]).await?;
    }
    for policy in &inline {
        query::call(core, root, iam, "DeleteUserPolicy", &[user, ("PolicyName", policy)]).await?;
    }
    for group in &groups {
        query::call(core, root, iam, "RemoveUserFromGroup", &[user, ("GroupName", group)]).await?;
    }
    query::call(core, root, iam, "DeleteUser", &[user]).await?;
    Ok(())
}

/// What the SDK says without a key.
pub(super) fn no_credentials() -> AwsError {
    AwsError::Local(
        "NoCredentialProviders: no valid providers in chain. Deprecated.\n\tFor verbose messaging see \
         aws.Config.CredentialsChainVerboseErrors"
            .to_owned(),
    )
}
