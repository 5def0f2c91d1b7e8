use aws_config::SdkConfig;
use aws_sdk_iam::{Client, config::Builder};
use serde_json::{Value, json};

use super::{Params, call};
use crate::driver::{Answer, Call};

/// Asks IAM.
pub(super) async fn ask(config: &SdkConfig, call: &Call, params: Params<'_>) -> Result<Answer, String> {
    let mut config = Builder::from(config);
    if call.keys.is_none() {
        config = config.allow_no_auth();
    }
    let iam = Client::from_conf(config.build());
    let done = || json!({});
    match call.operation {
        "CreateUser" => call!(params, iam.create_user(), [set_user_name "UserName"], |_| done()),
        "DeleteUser" => call!(params, iam.delete_user(), [set_user_name "UserName"], |_| done()),
        "CreateAccessKey" => call!(params, iam.create_access_key(), [set_user_name "UserName"], |out| key(&out)),
        "UpdateAccessKey" => {
            use aws_sdk_iam::types::StatusType;
            let status = params.text("Status").map(|status| StatusType::from(status.as_str()));
            let rest = without(params, "Status");
            let update = iam.update_access_key().set_status(status);
            call!(Params(&rest), update, [set_user_name "UserName", set_access_key_id "AccessKeyId"], |_| done())
        }
        "DeleteAccessKey" => {
            let delete = iam.delete_access_key();
            call!(params, delete, [set_user_name "UserName", set_access_key_id "AccessKeyId"], |_| done())
        }
        "PutUserPolicy" => {
            let put = iam.put_user_policy();
            call!(params, put, [set_user_name "UserName", set_policy_name "PolicyName",
                set_policy_document "PolicyDocument"], |_| done())
        }
        "DeleteUserPolicy" => {
            let delete = iam.delete_user_policy();
            call!(params, delete, [set_user_name "UserName", set_policy_name "PolicyName"], |_| done())
        }
        "AttachUserPolicy" => {
            let attach = iam.attach_user_policy();
            call!(params, attach, [set_user_name "UserName", set_policy_arn "PolicyArn"], |_| done())
        }
        "DetachUserPolicy" => {
            let detach = iam.detach_user_policy();
            call!(params, detach, [set_user_name "UserName", set_policy_arn "PolicyArn"], |_| done())
        }
        "CreateRole" => {
            let create = iam.create_role();
            call!(params, create, [set_role_name "RoleName",
                set_assume_role_policy_document "AssumeRolePolicyDocument"], |_| done())
        }
        "GetRole" => call!(params, iam.get_role(), [set_role_name "RoleName"], |_| done()),
        "DeleteRole" => call!(params, iam.delete_role(), [set_role_name "RoleName"], |_| done()),
        "UpdateAssumeRolePolicy" => {
            let update = iam.update_assume_role_policy();
            call!(params, update, [set_role_name "RoleName", set_policy_document "PolicyDocument"], |_| done())
        }
        "AttachRolePolicy" => {
            let attach = iam.attach_role_policy();
            call!(params, attach, [set_role_name "RoleName", set_policy_arn "PolicyArn"], |_| done())
        }
        "DetachRolePolicy" => {
            let detach = iam.detach_role_policy();
            call!(params, detach, [set_role_name "RoleName", set_policy_arn "PolicyArn"], |_| done())
        }
        "ListUsers" => call!(params, iam.list_users(), [], |out| {
            let names = out.users().iter().map(|user| json!({"UserName": user.user_name()}));
            json!({"Users": names.collect::<Vec<_>>()})
        }),
        "ListRoles" => call!(params, iam.list_roles(), [], |out| {
            let names = out.roles().iter().map(|role| json!({"RoleName": role.role_name()}));
            json!({"Roles": names.collect::<Vec<_>>()})
        }),
        other => Err(format!("no operation {other} here")),
    }
}

fn key(out: &aws_sdk_iam::operation::create_access_key::CreateAccessKeyOutput) -> Value {
    let key = out.access_key();
    json!({"AccessKey": {
        "AccessKeyId": key.map(|key| key.access_key_id()),
        "SecretAccessKey": key.map(|key| key.secret_access_key()),
    }})
}

/// The parameters but for one.
fn without(params: Params<'_>, name: &str) -> Value {
    let mut rest = params.0.clone();
    rest.as_object_mut().map(|rest| rest.remove(name));
    rest
}
