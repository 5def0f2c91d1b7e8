use std::{sync::Arc, time::Duration};

use aws_sdk_sts::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError},
    operation::assume_role::{AssumeRoleError, AssumeRoleOutput},
};
use jiff::Timestamp;
use rolecall_clock::{Clock, monotonic, since};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::{Fetching, NodeAccount, Provider, ProviderError};
use crate::{
    credentials::{Credentials, Key},
    metrics::Metrics,
};

/// Codes by which AWS services say that they are asked too much.
const THROTTLED: [&str; 8] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
];

/// Pause before the second attempt.
const PAUSE: Duration = Duration::from_millis(100);

/// STS, asked for one session a role with the node's own credentials.
#[derive(Clone, Debug)]
pub struct StsProvider {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    account: NodeAccount,
    clock: Clock,
    session: Duration,
    metrics: Metrics,
    client: OnceCell<Client>,
}

impl StsProvider {
    /// `ttl` is how long keys are handed out; a session lasts twice as long, within what STS gives (15 minutes to an
    /// hour, the most that a role's session may ask for another role).
    pub fn new(account: NodeAccount, ttl: Duration, metrics: Metrics) -> Self {
        let session = (ttl * 2).clamp(Duration::from_secs(900), Duration::from_secs(3600));
        let clock = account.clock.clone();
        Self {
            shared: Arc::new(Shared {
                account,
                clock,
                session,
                metrics,
                client: OnceCell::new(),
            }),
        }
    }

    /// Prepares the client ahead of the first request. Failing here means nothing: the first request tries again.
    pub async fn warm_up(&self) {
        let _ = self.shared.client().await;
    }
}

impl Provider for StsProvider {
    fn fetch(&self, key: Key) -> Fetching {
        let shared = self.shared.clone();
        Box::pin(async move { shared.assume(&key).await.map_err(Arc::new) })
    }
}

// === impl Shared ===

impl Shared {
    async fn client(&self) -> Result<Client, ProviderError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let loaded = self.account.load().await.map_err(ProviderError::Refused)?;
        let client = Client::new(&loaded.config);
        // A region that was only assumed, because the metadata service was silent, is not kept.
        if loaded.region_is_known {
            let _ = self.client.set(client.clone());
        }
        Ok(client)
    }

    async fn assume(&self, key: &Key) -> Result<Credentials, ProviderError> {
        let started = monotonic();
        let count = |code| self.metrics.asked(code, &key.role_arn, since(started));
        let client = self.client().await.inspect_err(|_| count(Err(None)))?;
        let asked = self.clock.wall();
        let output = match self.attempt(&client, key).await {
            Err(error) if may_try_again(&error) => {
                tokio::time::sleep(PAUSE).await;
                self.attempt(&client, key).await
            }
            other => other,
        };
        count(output.as_ref().map(|_| ()).map_err(|error| error.code()));
        read(output.map_err(|error| classify(&error))?, asked)
    }

    async fn attempt(&self, client: &Client, key: &Key) -> Result<AssumeRoleOutput, SdkError<AssumeRoleError>> {
        client
            .assume_role()
            .role_arn(&key.role_arn)
            .role_session_name(session_name(key))
            .set_external_id(key.external_id.clone())
            .duration_seconds(i32::try_from(self.session.as_secs()).unwrap_or(3600))
            .send()
            .await
    }
}

/// Throttling and server errors only: a denial will be the same, and a pod that waits for a timeout has gone.
fn may_try_again(error: &SdkError<AssumeRoleError>) -> bool {
    match error {
        SdkError::ServiceError(answer) => is_throttled(error.code()) || answer.raw().status().as_u16() >= 500,
        _ => false,
    }
}

fn is_throttled(code: Option<&str>) -> bool {
    code.is_some_and(|code| THROTTLED.contains(&code))
}

fn classify(error: &SdkError<AssumeRoleError>) -> ProviderError {
    let SdkError::ServiceError(answer) = error else {
        return ProviderError::Unavailable(DisplayErrorContext(error).to_string());
    };
    let status = answer.raw().status().as_u16();
    let code = error.code().unwrap_or("no code");
    let text = format!("{code} ({status}): {}", error.message().unwrap_or("no message"));
    if is_throttled(error.code()) || status >= 500 {
        ProviderError::Unavailable(text)
    } else if code == "AccessDenied" || code == "AccessDeniedException" {
        ProviderError::Denied(text)
    } else {
        ProviderError::Refused(text)
    }
}

fn read(output: AssumeRoleOutput, asked: Timestamp) -> Result<Credentials, ProviderError> {
    let refused = |what: &str| ProviderError::Refused(format!("its answer has {what}"));
    let keys = output.credentials().ok_or_else(|| refused("no credentials"))?;
    if keys.access_key_id().is_empty() || keys.secret_access_key().is_empty() || keys.session_token().is_empty() {
        return Err(refused("an empty key or token"));
    }
    let expiration = keys.expiration();
    let expiration = Timestamp::new(expiration.secs(), 0).map_err(|_| refused("no usable expiration"))?;
    if expiration <= asked {
        return Err(refused("an expiration that is over"));
    }
    Ok(Credentials {
        access_key_id: keys.access_key_id().to_owned(),
        secret_access_key: keys.secret_access_key().to_owned(),
        session_token: keys.session_token().to_owned(),
        expiration,
        obtained: asked,
    })
}

/// The session's name, by which CloudTrail tells sessions apart: a hash of what was asked for and the role's name, of
/// at most 64 characters of those that STS takes.
fn session_name(key: &Key) -> String {
    let mut hash = Sha256::new();
    hash.update(key.role_arn.as_bytes());
    hash.update([0]);
    hash.update(key.external_id.as_deref().unwrap_or_default().as_bytes());
    let hash = hex::encode(&hash.finalize()[..4]);
    let name = key.role_arn.rsplit('/').next().unwrap_or_default();
    let legal = |c: &char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(*c);
    format!("{hash}-{name}").chars().filter(legal).take(64).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_session_name_is_one_that_sts_takes(role_arn in ".{0,100}", external_id in proptest::option::of(".{0,20}")) {
            let name = session_name(&Key { role_arn, external_id });
            prop_assert!((2..=64).contains(&name.len()), "{}", name);
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c)), "{}", name);
        }
    }

    #[test]
    fn sessions_of_one_role_with_different_external_ids_are_told_apart() {
        let key = |id: Option<&str>| Key {
            role_arn: "arn:aws:iam::1:role/a".into(),
            external_id: id.map(Into::into),
        };
        assert_ne!(session_name(&key(None)), session_name(&key(Some("x"))));
        assert!(session_name(&key(None)).ends_with("-a"));
    }
}
