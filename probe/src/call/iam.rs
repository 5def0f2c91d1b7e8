use aws_sdk_iam::{Client, config::Builder, types::Role};
use serde_json::{Value, json};

use super::{
    answer::{Came, outcome},
    arguments::Arguments,
    surroundings::Signer,
    witness::Witness,
};
use crate::Outcome;

pub(super) async fn ask(name: &str, with: &Arguments, signer: &Signer, witness: &Witness) -> Result<Outcome, String> {
    let config = Builder::from(&signer.config()).interceptor(witness.clone());
    let iam = Client::from_conf(config.build());
    match name {
        "ListRoles" => {
            let list = iam.list_roles().set_path_prefix(with.optional("path_prefix"));
            outcome(list.send().await, |page| {
                let names = page.roles().iter().map(|role| role.role_name().to_owned()).collect();
                let roles: Vec<_> = page.roles().iter().map(role).collect();
                Came::listing(names, json!({ "Roles": roles, "IsTruncated": page.is_truncated() }))
            })
        }
        "GetRole" => {
            let get = iam.get_role().role_name(with.required("role_name")?);
            outcome(get.send().await, |got| {
                Came::json(json!({ "Role": got.role().map(role) }))
            })
        }
        "GetInstanceProfile" => {
            let get = iam
                .get_instance_profile()
                .instance_profile_name(with.required("instance_profile_name")?);
            outcome(get.send().await, |got| {
                let profile = got.instance_profile().map(|profile| {
                    json!({
                        "InstanceProfileName": profile.instance_profile_name(),
                        "Arn": profile.arn(),
                        "Roles": profile.roles().iter().map(role).collect::<Vec<_>>(),
                    })
                });
                Came::json(json!({ "InstanceProfile": profile }))
            })
        }
        "ListUsers" => {
            let list = iam.list_users().set_path_prefix(with.optional("path_prefix"));
            outcome(list.send().await, |page| {
                let names = page.users().iter().map(|user| user.user_name().to_owned()).collect();
                let shown = page
                    .users()
                    .iter()
                    .map(|user| json!({ "UserName": user.user_name(), "Arn": user.arn() }));
                let users: Vec<_> = shown.collect();
                Came::listing(names, json!({ "Users": users, "IsTruncated": page.is_truncated() }))
            })
        }
        _ => Err(format!("iam:{name} is listed, but nothing here calls it")),
    }
}

fn role(role: &Role) -> Value {
    json!({
        "RoleName": role.role_name(),
        "Path": role.path(),
        "Arn": role.arn(),
        // URL-encoded, as IAM has it.
        "AssumeRolePolicyDocument": role.assume_role_policy_document(),
        "MaxSessionDuration": role.max_session_duration(),
    })
}
