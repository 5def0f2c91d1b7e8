use aws_config::SdkConfig;
use aws_sdk_sts::{Client, config::Builder, types::Credentials};
use serde_json::{Value, json};

use super::{Params, refused};
use crate::driver::{Answer, Call};

/// Asks STS.
pub(super) async fn ask(config: &SdkConfig, call: &Call, params: Params<'_>) -> Result<Answer, String> {
    let mut config = Builder::from(config);
    if call.keys.is_none() {
        config = config.allow_no_auth();
    }
    let sts = Client::from_conf(config.build());
    match call.operation {
        "GetCallerIdentity" => {
            params.only(&[])?;
            match sts.get_caller_identity().send().await {
                Ok(out) => Ok(Answer::Done(json!({"Arn": out.arn(), "Account": out.account()}))),
                Err(error) => refused(error),
            }
        }
        "GetSessionToken" => {
            params.only(&["DurationSeconds"])?;
            let get = sts
                .get_session_token()
                .set_duration_seconds(params.number("DurationSeconds"));
            match get.send().await {
                Ok(out) => Ok(keys(out.credentials())),
                Err(error) => refused(error),
            }
        }
        "AssumeRole" => {
            params.only(&["RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId", "Policy"])?;
            let assume = sts
                .assume_role()
                .set_role_arn(params.text("RoleArn"))
                .set_role_session_name(params.text("RoleSessionName"))
                .set_duration_seconds(params.number("DurationSeconds"))
                .set_external_id(params.text("ExternalId"))
                .set_policy(params.text("Policy"));
            match assume.send().await {
                Ok(out) => Ok(keys(out.credentials())),
                Err(error) => refused(error),
            }
        }
        other => Err(format!("no operation {other} here")),
    }
}

fn keys(keys: Option<&Credentials>) -> Answer {
    let keys: Value = keys.map_or(Value::Null, |keys| {
        json!({
            "AccessKeyId": keys.access_key_id(),
            "SecretAccessKey": keys.secret_access_key(),
            "SessionToken": keys.session_token(),
        })
    });
    Answer::Done(json!({"Credentials": keys}))
}
