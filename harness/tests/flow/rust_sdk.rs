//! The AWS SDK for Rust.

mod iam;
mod s3;
mod sts;

use std::{sync::LazyLock, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::Builder;
use rolecall_clock::{Clock, SdkTime};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::driver::{Answer, Call, Driver, REGION, Refusal};

/// Calls an operation whose parameters are texts, and refuses parameters that it has no words for.
macro_rules! call {
    ($params:expr, $builder:expr, [$($setter:ident $name:literal),* $(,)?], |$out:pat_param| $answer:expr) => {{
        let params = $params;
        params.only(&[$($name),*])?;
        match $builder$(.$setter(params.text($name)))*.send().await {
            Ok($out) => Ok(crate::driver::Answer::Done($answer)),
            Err(error) => crate::rust_sdk::refused(error),
        }
    }};
}
pub(crate) use call;

/// The SDK, on a runtime of its own.
pub(crate) struct RustSdk;

/// A call's parameters.
#[derive(Clone, Copy)]
struct Params<'a>(&'a Value);

/// The runtime of everything here that is asynchronous.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

fn config(call: &Call) -> SdkConfig {
    let builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(&call.endpoint)
        .http_client(Builder::new().build_http())
        .time_source(SdkTime(Clock::new()))
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .retry_config(RetryConfig::disabled());
    match &call.keys {
        None => builder.build(),
        Some(keys) => {
            let keys = Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "flow");
            builder
                .credentials_provider(SharedCredentialsProvider::new(keys))
                .build()
        }
    }
}

/// What the SDK makes of a refusal.
fn refused<E>(error: SdkError<E>) -> Result<Answer, String>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let Some(answer) = error.raw_response() else {
        // Its causes show the request, keys and all.
        return Err(error.to_string());
    };
    let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    Ok(Answer::Refused(Refusal::new(answer.status().as_u16(), code, message)))
}

// === impl RustSdk ===

impl Driver for RustSdk {
    fn ask(&mut self, call: &Call) -> Result<Answer, String> {
        let (config, params) = (config(call), Params(&call.params));
        let asking = async {
            let asking = async {
                match call.service {
                    "iam" => iam::ask(&config, call, params).await,
                    "sts" => sts::ask(&config, call, params).await,
                    "s3" => s3::ask(&config, call, params).await,
                    other => Err(format!("no service {other} here")),
                }
            };
            tokio::time::timeout(Duration::from_secs(30), asking).await
        };
        RUNTIME
            .block_on(asking)
            .map_err(|_| "no answer within 30 s".to_owned())?
    }
}

// === impl Params ===

impl Params<'_> {
    fn text(self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    fn number(self, name: &str) -> Option<i32> {
        self.0.get(name)?.as_i64()?.try_into().ok()
    }

    /// Nothing but these: a parameter that was left out would make another call of it.
    fn only(self, names: &[&str]) -> Result<(), String> {
        let mut given = self.0.as_object().into_iter().flat_map(|params| params.keys());
        match given.find(|given| !names.contains(&given.as_str())) {
            Some(unknown) => Err(format!("no parameter {unknown} here")),
            None => Ok(()),
        }
    }
}
