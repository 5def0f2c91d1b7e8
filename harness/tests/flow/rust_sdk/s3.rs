use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::{Client, config::Builder, presigning::PresigningConfig};
use serde_json::json;

use super::{Params, call, refused};
use crate::driver::{Answer, Call};

/// Asks S3, or signs a link to an object.
pub(super) async fn ask(config: &SdkConfig, call: &Call, params: Params<'_>) -> Result<Answer, String> {
    // The endpoint is an address, which has no bucket's name before it.
    let mut config = Builder::from(config).force_path_style(true);
    if call.keys.is_none() {
        config = config.allow_no_auth();
    }
    let s3 = Client::from_conf(config.build());
    let done = || json!({});
    match call.operation {
        "CreateBucket" => call!(params, s3.create_bucket(), [set_bucket "Bucket"], |_| done()),
        "DeleteBucket" => call!(params, s3.delete_bucket(), [set_bucket "Bucket"], |_| done()),
        "ListBuckets" => call!(params, s3.list_buckets(), [], |out| {
            let names = out.buckets().iter().map(|bucket| json!({"Name": bucket.name()}));
            json!({"Buckets": names.collect::<Vec<_>>()})
        }),
        "ListObjectsV2" => call!(params, s3.list_objects_v2(), [set_bucket "Bucket"], |out| {
            let keys = out.contents().iter().map(|object| json!({"Key": object.key()}));
            json!({"Contents": keys.collect::<Vec<_>>()})
        }),
        "HeadObject" => call!(params, s3.head_object(), [set_bucket "Bucket", set_key "Key"], |_| done()),
        "DeleteObject" => call!(params, s3.delete_object(), [set_bucket "Bucket", set_key "Key"], |_| done()),
        "CopyObject" => call!(
            params,
            s3.copy_object(),
            [set_bucket "Bucket", set_key "Key", set_copy_source "CopySource"],
            |_| done()
        ),
        "PutObject" => {
            params.only(&["Bucket", "Key", "Body"])?;
            let body = params.text("Body").unwrap_or_default().into_bytes().into();
            let put = s3.put_object().body(body);
            let put = put.set_bucket(params.text("Bucket")).set_key(params.text("Key"));
            match put.send().await {
                Ok(_) => Ok(Answer::Done(done())),
                Err(error) => refused(error),
            }
        }
        "GetObject" => {
            params.only(&["Bucket", "Key"])?;
            let get = s3.get_object();
            let get = get.set_bucket(params.text("Bucket")).set_key(params.text("Key"));
            match get.send().await {
                Ok(out) => {
                    let body = out.body.collect().await.map_err(|error| error.to_string())?;
                    let body = String::from_utf8_lossy(&body.into_bytes()).into_owned();
                    Ok(Answer::Done(json!({"Body": body})))
                }
                Err(error) => refused(error),
            }
        }
        "Presign" => {
            params.only(&["Bucket", "Key", "ExpiresIn"])?;
            let life = Duration::from_secs(u64::try_from(params.number("ExpiresIn").unwrap_or_default()).unwrap_or(0));
            let life = PresigningConfig::expires_in(life).map_err(|error| error.to_string())?;
            let get = s3.get_object();
            let get = get.set_bucket(params.text("Bucket")).set_key(params.text("Key"));
            let link = get.presigned(life).await.map_err(|error| error.to_string())?;
            Ok(Answer::Done(json!({"Url": link.uri()})))
        }
        other => Err(format!("no operation {other} here")),
    }
}
