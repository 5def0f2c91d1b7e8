use std::{env, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, default_provider::credentials::DefaultCredentialsChain,
    identity::IdentityCache, retry::RetryConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials as _, SharedCredentialsProvider},
};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rolecall_clock::{Clock, SdkTime};

use crate::{Keys, sdk, silence::causes};

/// How long the SDK's own identity cache waits for a provider.
const CHAIN: Duration = Duration::from_secs(5);

/// Where a pod's calls go.
pub(crate) struct Surroundings {
    endpoint: String,
    region: String,
}

/// Surroundings and the credentials to sign with.
pub(crate) struct Signer {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
}

// === impl Surroundings ===

impl Surroundings {
    /// # Errors
    ///
    /// If `AWS_ENDPOINT_URL` or `AWS_REGION` is not set. Without an endpoint a call would go to AWS itself, and without a
    /// region the SDK would ask the metadata service for one.
    pub(crate) fn of_process() -> Result<Self, String> {
        let variable = |name: &str| {
            let set = env::var(name).ok().filter(|value| !value.is_empty());
            set.ok_or_else(|| format!("{name} is not set in the probe's environment"))
        };
        Ok(Self {
            endpoint: variable("AWS_ENDPOINT_URL")?,
            region: variable("AWS_REGION")?,
        })
    }

    /// With `keys` to sign, or else with what the SDK's default chain finds: environment, profiles, web identity, the
    /// container's agent, the metadata service, in this order.
    ///
    /// # Errors
    ///
    /// What the chain says if it finds nothing.
    pub(crate) async fn signer(self, keys: Option<Keys>) -> Result<Signer, String> {
        let credentials = match keys {
            Some(keys) => Credentials::new(
                keys.access_key_id,
                keys.secret_access_key.into_revealed(),
                keys.session_token.map(crate::Masked::into_revealed),
                None,
                "rolecall-task",
            ),
            None => {
                let mut found = self.chain().await?;
                // Expired or not, a key that was handed out is used: whether it is still good, AWS decides.
                *found.expiry_mut() = None;
                found
            }
        };
        let Self { endpoint, region } = self;
        Ok(Signer {
            endpoint,
            region,
            credentials,
        })
    }

    async fn chain(&self) -> Result<Credentials, String> {
        let region = Region::new(self.region.clone());
        let config = sdk::provider_config(Some(&self.endpoint));
        sdk::bounded(CHAIN, async move {
            let config = config.with_region(Some(region.clone()));
            let chain = DefaultCredentialsChain::builder()
                .configure(config)
                .region(region)
                .build()
                .await;
            chain.provide_credentials().await.map_err(|err| causes(&err))
        })
        .await
    }
}

// === impl Signer ===

impl Signer {
    /// What the SDK's clients are made of. An explicit endpoint also outranks `AWS_ENDPOINT_URL_S3` and its like.
    pub(crate) fn config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .identity_cache(IdentityCache::no_cache())
            .http_client(http_client(Some(&self.endpoint)))
            .sleep_impl(TokioSleep::new())
            .time_source(SdkTime(Clock::new()))
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .build()
    }
}

/// A client that goes straight to where it is told: no proxy of the environment is heeded.
///
/// The machine's root certificates are read only towards an `endpoint` that speaks TLS: that takes most of a call's time,
/// and an image that holds nothing but the probe has none.
pub(crate) fn http_client(endpoint: Option<&str>) -> SharedHttpClient {
    let https = endpoint.is_some_and(|endpoint| endpoint.starts_with("https:"));
    let roots = TrustStore::empty().with_native_roots(https);
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => client.tls_context(context).build_https(),
        // Fails for certificates given as text alone, and none are.
        Err(_) => client.build_https(),
    }
}
