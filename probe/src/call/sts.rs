use aws_sdk_sts::{Client, config::Builder};
use aws_smithy_types::date_time::Format;
use serde_json::json;

use super::{
    answer::{Came, outcome},
    arguments::Arguments,
    surroundings::Signer,
    witness::Witness,
};
use crate::Outcome;

pub(super) async fn ask(name: &str, with: &Arguments, signer: &Signer, witness: &Witness) -> Result<Outcome, String> {
    let config = Builder::from(&signer.config()).interceptor(witness.clone());
    let sts = Client::from_conf(config.build());
    match name {
        "GetCallerIdentity" => outcome(sts.get_caller_identity().send().await, |me| {
            Came::json(json!({ "UserId": me.user_id(), "Account": me.account(), "Arn": me.arn() }))
        }),
        "AssumeRole" => {
            let session = with
                .optional("role_session_name")
                .unwrap_or_else(|| "rolecall".to_owned());
            let assume = sts
                .assume_role()
                .role_arn(with.required("role_arn")?)
                .role_session_name(session);
            let assume = assume
                .set_external_id(with.optional("external_id"))
                .set_duration_seconds(with.number("duration_seconds")?)
                .set_policy(with.optional("policy"))
                .set_source_identity(with.optional("source_identity"));
            outcome(assume.send().await, |assumed| {
                let credentials = assumed.credentials().map(|keys| {
                    json!({
                        "AccessKeyId": keys.access_key_id(),
                        "SecretAccessKey": keys.secret_access_key(),
                        "SessionToken": keys.session_token(),
                        "Expiration": keys.expiration().fmt(Format::DateTime).ok(),
                    })
                });
                let user = assumed.assumed_role_user();
                let user = user.map(|user| json!({ "AssumedRoleId": user.assumed_role_id(), "Arn": user.arn() }));
                Came::json(json!({ "Credentials": credentials, "AssumedRoleUser": user }))
            })
        }
        _ => Err(format!("sts:{name} is listed, but nothing here calls it")),
    }
}
