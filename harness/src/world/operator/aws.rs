//! The operator's AWS clients, and what it makes with them that is not a role.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_sdk_sts::error::ProvideErrorMetadata as _;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use rolecall_clock::{Clock, SdkTime};
use rolecall_scenario::{Spanned, model::Bucket};

use super::{ClusterNames, Documents};
use crate::{
    check::{Identity, Keys, Refusal},
    secrets::learn_keys,
    world::WorldError,
};

/// Where the operator's AWS is, and with which keys.
#[derive(Clone, Debug)]
pub(crate) struct AwsAccess {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) keys: Keys,
    /// Root keys of further accounts by the names that a scenario has for them.
    pub(crate) accounts: BTreeMap<String, Keys>,
    pub(crate) clock: Clock,
}

/// The operator at AWS.
#[derive(Clone, Debug)]
pub(crate) struct AwsOperator {
    pub(super) iam: aws_sdk_iam::Client,
    /// IAM of further accounts.
    accounts: Arc<BTreeMap<String, aws_sdk_iam::Client>>,
    s3: aws_sdk_s3::Client,
    config: SdkConfig,
    pub(crate) names: ClusterNames,
    pub(crate) documents: Documents,
    /// Access keys of users by the names that `using:` has for them.
    pub(super) user_keys: Arc<Mutex<BTreeMap<String, Keys>>>,
}

/// How long the operator keeps a connection that it does not use: shorter than any server here does (the emulators 10 s), for
/// one that is closed just as it is used again takes the request with it.
pub(super) const IDLE: Duration = Duration::from_secs(5);

// === impl AwsAccess ===

impl AwsAccess {
    fn config(&self, keys: &Keys) -> SdkConfig {
        // Reading the machine's root certificates takes longer than bringing a world up, and plain HTTP wants none.
        let roots = TrustStore::empty().with_native_roots(self.endpoint.starts_with("https:"));
        let client = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .pool_idle_timeout(IDLE);
        let http = match TlsContext::builder().with_trust_store(roots).build() {
            Ok(context) => client.tls_context(context).build_https(),
            // Fails for certificates given as text alone, and none are.
            Err(_) => client.build_https(),
        };
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .endpoint_url(&self.endpoint)
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
                credentials(keys),
            ))
            .http_client(http)
            .time_source(SdkTime(self.clock.clone()))
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            // The front is on this machine: what fails would fail again.
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_timeout(Duration::from_secs(30))
                    .build(),
            )
            .build()
    }
}

fn credentials(keys: &Keys) -> Credentials {
    Credentials::new(
        &keys.access_key_id,
        &keys.secret_access_key,
        keys.session_token.clone(),
        None,
        "rolecall",
    )
}

// === impl AwsOperator ===

impl AwsOperator {
    pub(crate) fn new(access: &AwsAccess, names: ClusterNames, documents: Documents) -> Self {
        let config = access.config(&access.keys);
        let accounts = access.accounts.iter();
        let accounts = accounts.map(|(name, keys)| (name.clone(), aws_sdk_iam::Client::new(&access.config(keys))));
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .force_path_style(true)
            .build();
        Self {
            iam: aws_sdk_iam::Client::new(&config),
            accounts: Arc::new(accounts.collect()),
            s3: aws_sdk_s3::Client::from_conf(s3),
            config,
            names,
            documents,
            user_keys: Arc::default(),
        }
    }

    /// The same operator in a further account's IAM. Words such as `node` still mean the scenario's own account.
    ///
    /// # Errors
    /// There is no such account.
    pub(super) fn in_account(&self, name: &str) -> Result<Self, WorldError> {
        let iam = self
            .accounts
            .get(name)
            .ok_or_else(|| WorldError::new(format!("there is no account {name}")))?;
        Ok(Self {
            iam: iam.clone(),
            ..self.clone()
        })
    }

    /// Whose keys these are, by GetCallerIdentity signed with them.
    ///
    /// The inner error is what AWS says of keys that it does not accept.
    ///
    /// # Errors
    /// AWS did not answer, which says nothing of the keys.
    pub(crate) async fn identity(&self, keys: &Keys) -> Result<Result<Identity, String>, WorldError> {
        let config = self
            .config
            .to_builder()
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
                credentials(keys),
            ))
            .build();
        let answer = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.code().is_none() => {
                return Err(WorldError::doing("ask AWS whose keys were given out", &error));
            }
            Err(error) => return Ok(Err(refusal("GetCallerIdentity", &error).message)),
        };
        let arn = answer.arn().unwrap_or_default().to_owned();
        // arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION
        let role = arn
            .split_once(":assumed-role/")
            .and_then(|(_, rest)| rest.split('/').next())
            .map(str::to_owned);
        Ok(Ok(Identity { arn, role }))
    }

    /// The keys of a role, by AssumeRole signed with a user's.
    ///
    /// # Errors
    /// What AWS says.
    pub(crate) async fn assume_role(&self, keys: &Keys, role_arn: &str) -> Result<Keys, String> {
        let config = self
            .config
            .to_builder()
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
                credentials(keys),
            ))
            .build();
        let answer = aws_sdk_sts::Client::new(&config)
            .assume_role()
            .role_arn(role_arn)
            .role_session_name("rolecall")
            .send()
            .await
            .map_err(|error| refusal("AssumeRole", &error).message)?;
        let given = answer.credentials().ok_or("AssumeRole answered without keys")?;
        let keys = Keys {
            access_key_id: given.access_key_id().to_owned(),
            secret_access_key: given.secret_access_key().to_owned(),
            session_token: Some(given.session_token().to_owned()),
            expiration: None,
        };
        learn_keys(&keys);
        Ok(keys)
    }

    /// Removes the account's buckets with their objects: their names are everybody's.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what AWS said.
    pub(crate) async fn remove_buckets(&self) -> Result<(), WorldError> {
        let refused = |what: String| move |error: Refusal| WorldError::Refused(Refusal { what, ..error });
        let listed = self.s3.list_buckets().send().await;
        let listed = listed.map_err(|error| WorldError::Refused(refusal("list buckets", &error)))?;
        for bucket in listed.buckets().iter().filter_map(|bucket| bucket.name()) {
            let objects = self.s3.list_objects_v2().bucket(bucket).send().await;
            let objects = objects.map_err(|error| refused(format!("list {bucket}"))(refusal("", &error)))?;
            for key in objects.contents().iter().filter_map(|object| object.key()) {
                let deleted = self.s3.delete_object().bucket(bucket).key(key).send().await;
                deleted.map_err(|error| refused(format!("delete {bucket}/{key}"))(refusal("", &error)))?;
            }
            let deleted = self.s3.delete_bucket().bucket(bucket).send().await;
            deleted.map_err(|error| refused(format!("delete bucket {bucket}"))(refusal("", &error)))?;
        }
        Ok(())
    }

    /// Makes buckets and puts their objects.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what AWS said.
    pub(crate) async fn apply_buckets(&self, buckets: &BTreeMap<String, Spanned<Bucket>>) -> Result<(), WorldError> {
        for (name, bucket) in buckets {
            let made = self.s3.create_bucket().bucket(name).send().await;
            if let Err(error) = made {
                let exists = error
                    .as_service_error()
                    .is_some_and(|error| error.is_bucket_already_owned_by_you());
                if !exists {
                    return Err(WorldError::Refused(refusal(&format!("create bucket {name}"), &error)));
                }
            }
            if let Some(policy) = &bucket.policy {
                let text = self.documents.text(&policy.value)?;
                let put = self.s3.put_bucket_policy().bucket(name).policy(text).send().await;
                put.map_err(|error| WorldError::Refused(refusal(&format!("put the policy of {name}"), &error)))?;
            } else if bucket.restored.contains("policy") {
                let delete = self.s3.delete_bucket_policy().bucket(name).send().await;
                delete
                    .map_err(|error| WorldError::Refused(refusal(&format!("delete the policy of {name}"), &error)))?;
            }
            for (key, text) in &bucket.objects {
                self.s3
                    .put_object()
                    .bucket(name)
                    .key(key)
                    .body(text.clone().into_bytes().into())
                    .send()
                    .await
                    .map_err(|error| WorldError::Refused(refusal(&format!("put {name}/{key}"), &error)))?;
            }
        }
        Ok(())
    }
}

/// What an API said to the operator: its code and message, or what the transport met.
pub(super) fn refusal<E>(what: &str, error: &E) -> Refusal
where
    E: std::error::Error + aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    let message = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => WorldError::doing("ask AWS", error).to_string(),
    };
    Refusal {
        what: what.to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rolecall_aws::{AccessKey, CancellationToken, Door, Enforcement, Front, Settings};
    use tokio::net::TcpListener;

    use super::*;

    fn keys(id: &str) -> Keys {
        Keys {
            access_key_id: id.to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: None,
            expiration: None,
        }
    }

    fn operator(address: std::net::SocketAddr) -> AwsOperator {
        let access = AwsAccess {
            endpoint: format!("http://{address}"),
            region: "us-east-1".to_owned(),
            keys: keys("AKIAROOT"),
            accounts: BTreeMap::new(),
            clock: Clock::new(),
        };
        let documents = Documents {
            account: "123456789012".to_owned(),
            accounts: BTreeMap::new(),
            node_role: "nodes".to_owned(),
            issuer: None,
            fixtures: PathBuf::new(),
        };
        AwsOperator::new(
            &access,
            ClusterNames::of(&rolecall_scenario::model::Given::default()),
            documents,
        )
    }

    async fn listener() -> (TcpListener, std::net::SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    #[tokio::test]
    async fn keys_that_aws_refuses_are_told_with_its_code() {
        let (listener, address) = listener().await;
        let front = Front::new(Settings {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            root: AccessKey {
                id: "AKIAROOT".to_owned(),
                secret: "secret".into(),
            },
            clock: Clock::new(),
            enforcement: Enforcement::On,
            upstream: None,
        });
        tokio::spawn(async move { front.serve(listener, Door::Operator, CancellationToken::new()).await });
        let operator = operator(address);
        let own = operator.identity(&keys("AKIAROOT")).await.expect("it answers");
        assert_eq!(own.expect("they are good").arn, "arn:aws:iam::123456789012:root");
        let unknown = operator.identity(&keys("AKIAUNKNOWN")).await.expect("it answers");
        let said = unknown.expect_err("nobody has them");
        assert!(said.starts_with("InvalidClientTokenId: "), "{said}");
    }

    #[tokio::test]
    async fn an_aws_that_hangs_up_says_nothing_of_the_keys() {
        let (listener, address) = listener().await;
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let error = operator(address).identity(&keys("AKIAROOT")).await;
        let error = error.expect_err("nothing was found out").to_string();
        assert!(
            error.starts_with("cannot ask AWS whose keys were given out: "),
            "{error}"
        );
    }
}
