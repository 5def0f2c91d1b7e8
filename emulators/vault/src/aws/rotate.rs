//! `config/rotate-root`: a new key of the user whose key is configured, and the end of the old one.

use std::sync::Arc;

use serde_json::json;

use super::query;
use crate::{
    core::Core,
    reply::{Done, Refusal, Reply, several},
};

/// See the module. The secret key is told to nobody.
pub(super) async fn rotate(core: &Arc<Core>, mount: &str) -> Done {
    let root = core.state().mounts.aws(mount).and_then(|aws| aws.root.clone());
    let root = root.ok_or_else(|| Refusal::bad("no configuration found for config/root"))?;
    if root.access_key.is_empty() {
        return Err(Refusal::bad(
            "cannot call config/rotate-root when either access_key or secret_key is empty",
        ));
    }
    let iam = root.iam(&core.region);
    let failed = |doing: &str, error: query::AwsError| Refusal::internal(several(&[&format!("{doing}: {error}")]));
    let user = query::call(core, &root, &iam, "GetUser", &[]).await;
    let user = user.map_err(|error| failed("error calling GetUser", error))?;
    let name = user.text("User/UserName").unwrap_or_default();
    if name.is_empty() {
        return Err(Refusal::internal(several(&[
            "nil/empty user name returned from GetUser",
        ])));
    }
    let made = query::call(core, &root, &iam, "CreateAccessKey", &[("UserName", &name)]).await;
    let made = made.map_err(|error| failed("error calling CreateAccessKey", error))?;
    let (Some(access_key), Some(secret_key)) = (made.text("AccessKeyId"), made.text("SecretAccessKey")) else {
        return Err(Refusal::internal(several(&[
            "nil AccessKeyId or SecretAccessKey returned from CreateAccessKey",
        ])));
    };
    let mut new = root.clone();
    new.access_key.clone_from(&access_key);
    new.secret_key = secret_key.into();
    if let Some(aws) = core.state().mounts.aws_mut(mount) {
        aws.root = Some(new.clone());
        aws.sts = None;
    }
    let old = [("UserName", name.as_str()), ("AccessKeyId", root.access_key.as_str())];
    query::call(core, &new, &iam, "DeleteAccessKey", &old)
        .await
        .map_err(|error| failed("error calling DeleteAccessKey", error))?;
    Ok(Reply::data(json!({ "access_key": access_key })))
}
