//! Credentials by the SDK's own metadata provider, or by the process that its configuration file names.

use std::time::Duration;

use aws_config::{
    imds::credentials::ImdsCredentialsProvider, profile::ProfileFileCredentialsProvider,
    provider_config::ProviderConfig,
};
use aws_credential_types::{Credentials, provider::ProvideCredentials as _};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_types::{DateTime, date_time::Format};
use rolecall_clock::{Clock, SdkTime, monotonic, since};

use crate::{Keys, Sdk, SdkReport, call::surroundings::http_client, silence::causes};

/// Asks the provider once, without a cache.
pub(crate) async fn provide(task: Sdk) -> SdkReport {
    let start = monotonic();
    let provided = bounded(Duration::from_millis(task.whole_ms), async move {
        let config = provider_config(None);
        let provided = match task.agent {
            true => {
                let profile = ProfileFileCredentialsProvider::builder().configure(&config).build();
                profile.provide_credentials().await
            }
            false => {
                let metadata = ImdsCredentialsProvider::builder().configure(&config).build();
                metadata.provide_credentials().await
            }
        };
        provided.map_err(|err| causes(&err))
    });
    let provided = provided.await;
    let elapsed_ms = u64::try_from(since(start).as_millis()).unwrap_or(u64::MAX);
    match provided {
        Ok(found) => SdkReport {
            expiration: found
                .expiry()
                .and_then(|at| DateTime::from(at).fmt(Format::DateTime).ok()),
            keys: Some(keys(&found)),
            failure: None,
            elapsed_ms,
        },
        Err(failure) => SdkReport {
            keys: None,
            expiration: None,
            failure: Some(failure),
            elapsed_ms,
        },
    }
}

/// What every provider of the SDK is configured with here: real HTTP, real time, and this process's
/// environment. `endpoint` is where services are, if any is to be asked.
pub(crate) fn provider_config(endpoint: Option<&str>) -> ProviderConfig {
    ProviderConfig::empty()
        .with_http_client(http_client(endpoint))
        .with_sleep_impl(TokioSleep::new())
        .with_time_source(SdkTime(Clock::new()))
}

/// Runs a provider for so long at most. In a task of its own, because the SDK panics on a role name that makes no URI,
/// and that is an answer of the proxy's that a report must tell.
pub(crate) async fn bounded(
    whole: Duration,
    provide: impl Future<Output = Result<Credentials, String>> + Send + 'static,
) -> Result<Credentials, String> {
    match tokio::time::timeout(whole, tokio::spawn(provide)).await {
        Ok(Ok(provided)) => provided,
        Ok(Err(err)) => Err(format!("the SDK's credential provider broke off: {err}")),
        Err(_) => Err(format!("no credentials within {} ms", whole.as_millis())),
    }
}

fn keys(found: &Credentials) -> Keys {
    Keys {
        access_key_id: found.access_key_id().to_owned(),
        secret_access_key: found.secret_access_key().into(),
        session_token: found.session_token().map(Into::into),
    }
}
