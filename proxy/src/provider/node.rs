//! The node's own account: its credentials and its region.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, SdkConfig,
    default_provider::credentials::DefaultCredentialsChain,
    environment::EnvironmentVariableRegionProvider,
    identity::IdentityCache,
    imds::{self, client::error::ImdsError, region::ImdsRegionProvider},
    meta::region::ProvideRegion as _,
    provider_config::ProviderConfig,
    retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_sts::{
    config::{Region, SharedHttpClient},
    error::DisplayErrorContext,
};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use rolecall_clock::{Clock, SdkTime};

use crate::flags::MetadataAddr;

/// Region if neither the environment nor the instance says one. STS is everywhere.
const DEFAULT_REGION: &str = "us-east-1";

/// Where the node's credentials and region come from: the environment, then profile files, web identity, the
/// container's endpoint, and at last the instance's metadata service at `--metadata-addr` itself, past any interception.
#[derive(Clone, Debug)]
pub struct NodeAccount {
    /// The instance's metadata service.
    pub metadata: MetadataAddr,
    /// What signs, and decides whether the node's credentials have expired.
    pub clock: Clock,
}

/// An AWS configuration, and whether its region is more than a default.
pub(super) struct Loaded {
    pub(super) config: SdkConfig,
    pub(super) region_is_known: bool,
}

impl NodeAccount {
    /// Loads the configuration; asks the metadata service for the region if the environment has none.
    pub(super) async fn load(&self) -> Result<Loaded, String> {
        let http = client(trust()?);
        let plain = self.plain(http.clone());
        let instance = self.instance(&plain)?;
        let found = match EnvironmentVariableRegionProvider::new().region().await {
            Some(region) => Some(region),
            None => {
                ImdsRegionProvider::builder()
                    .imds_client(instance.clone())
                    .build()
                    .region()
                    .await
            }
        };
        let region_is_known = found.is_some();
        let region = found.unwrap_or(Region::from_static(DEFAULT_REGION));
        let credentials = DefaultCredentialsChain::builder()
            .configure(plain)
            .region(region.clone())
            .imds_client(instance);
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(region)
            .http_client(http)
            .sleep_impl(TokioSleep::new())
            .time_source(SdkTime(self.clock.clone()))
            .credentials_provider(credentials.build().await)
            .identity_cache(IdentityCache::lazy().load_timeout(Duration::from_secs(3)).build())
            // Attempts are counted by whoever asks: only some failures are worth another.
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(1))
                    .operation_attempt_timeout(Duration::from_secs(2))
                    .build(),
            )
            .load()
            .await;
        Ok(Loaded {
            config,
            region_is_known,
        })
    }

    /// Reads `meta-data/iam/info`, which names the instance profile.
    pub(super) async fn iam_info(&self) -> Result<String, String> {
        // Nothing is asked over TLS here.
        let http = client(tls(TrustStore::empty())?);
        let instance = self.instance(&self.plain(http))?;
        match instance.get("/latest/meta-data/iam/info").await {
            Ok(text) => Ok(text.into()),
            Err(ImdsError::ErrorResponse(answer)) => {
                let status = answer.response().status().as_u16();
                Err(match status {
                    404 => "the instance has no instance profile".to_owned(),
                    _ => format!("the metadata service answered {status}"),
                })
            }
            Err(error) => Err(DisplayErrorContext(error).to_string()),
        }
    }

    fn plain(&self, http: SharedHttpClient) -> ProviderConfig {
        ProviderConfig::without_region()
            .with_http_client(http)
            .with_sleep_impl(TokioSleep::new())
            .with_time_source(SdkTime(self.clock.clone()))
    }

    fn instance(&self, plain: &ProviderConfig) -> Result<imds::Client, String> {
        let builder = imds::Client::builder()
            .configure(plain)
            .endpoint(format!("http://{}", self.metadata))
            .map_err(|error| format!("the metadata address is not usable: {error}"))?;
        Ok(builder.max_attempts(2).build())
    }
}

fn client(tls: TlsContext) -> SharedHttpClient {
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    builder.tls_context(tls).build_https()
}

/// The operating system's roots, unless nothing is asked over TLS: reading them takes longer than all else at start.
fn trust() -> Result<TlsContext, String> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL_STS").or_else(|_| std::env::var("AWS_ENDPOINT_URL"));
    let roots = match endpoint {
        Ok(url) if url.starts_with("http://") => TrustStore::empty(),
        _ => TrustStore::default(),
    };
    tls(roots)
}

fn tls(roots: TrustStore) -> Result<TlsContext, String> {
    TlsContext::builder()
        .with_trust_store(roots)
        .build()
        .map_err(|error| format!("TLS cannot be set up: {error}"))
}
