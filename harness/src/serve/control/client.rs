use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rolecall_aws::{DecisionRecord, Entry};
use rolecall_clock::{monotonic, since};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Advance, ClockState, ControlError, Fault, Healed, InstanceKeys, InstanceName, KnownSecret, MetadataRequest,
    Propagation, Removed, Reset, Status, TokenIssuer,
};
use crate::serve::nodes::Node;

/// Time for one answer. The journal of a long run is some megabytes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest answer that is read.
const ANSWER: usize = 512 << 20;
/// Between two attempts to reach a listener that is not up yet.
const INTERVAL: Duration = Duration::from_millis(50);

/// Steers services in another process. Clones share connections.
#[derive(Clone)]
pub(crate) struct ControlClient {
    base: String,
    token: SecretString,
    http: Client<HttpConnector, Full<Bytes>>,
}

// === impl ControlClient ===

impl ControlClient {
    /// A client of the listener at `url`, such as `http://127.0.0.1:4567`. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ControlError::Url`].
    pub(crate) fn new(url: &str, token: SecretString) -> Result<Self, ControlError> {
        let wrong = || ControlError::Url(url.to_owned());
        let base: Uri = url.parse().map_err(|_| wrong())?;
        let is_root = base.path().trim_matches('/').is_empty() && base.query().is_none();
        if base.scheme_str() != Some("http") || base.authority().is_none() || !is_root {
            return Err(wrong());
        }
        Ok(Self {
            base: url.trim_end_matches('/').to_owned(),
            token,
            http: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// What serves there.
    pub(crate) async fn status(&self) -> Result<Status, ControlError> {
        self.get("status").await
    }

    /// What was decided about requests from this number on; of late, the newest 10,000.
    pub(crate) async fn decisions(&self, since: u64) -> Result<Vec<DecisionRecord>, ControlError> {
        self.get(&format!("front/decisions?since={since}")).await
    }

    /// The keys that EC2 has for an instance.
    ///
    /// # Errors
    /// [`ControlError::Refused`] with 409: why EC2 may not take the role.
    pub(crate) async fn instance_credentials(
        &self,
        instance_profile: &str,
        instance_id: &str,
    ) -> Result<InstanceKeys, ControlError> {
        let of = InstanceName {
            instance_profile: instance_profile.to_owned(),
            instance_id: instance_id.to_owned(),
        };
        self.send(Method::POST, "instance-credentials", &of).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ControlError> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, ControlError> {
        let body = serde_json::to_vec(body).map_err(|error| self.malformed(&error))?;
        self.ask(method, path, body.into()).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<T, ControlError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token.expose_secret()))
            .body(Full::new(body))
            .map_err(|error| self.malformed(&error))?;
        let asking = async {
            let answer = self
                .http
                .request(request)
                .await
                .map_err(|error| self.unreachable(&error))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER)
                .collect()
                .await
                .map_err(|error| self.unreachable(&*error))?;
            Ok((head.status, body.to_bytes()))
        };
        let (status, body) =
            tokio::time::timeout(PATIENCE, asking)
                .await
                .map_err(|_| ControlError::Unreachable {
                    url: self.base.clone(),
                    why: format!("no answer within {PATIENCE:?}"),
                })??;
        if status != StatusCode::OK {
            let told: Option<Value> = serde_json::from_slice(&body).ok();
            let message = told.as_ref().and_then(|told| told.get("error")?.as_str());
            return Err(ControlError::Refused {
                status: status.as_u16(),
                message: message.unwrap_or("refused without a reason").to_owned(),
            });
        }
        serde_json::from_slice(&body).map_err(|error| self.malformed(&error))
    }

    fn unreachable(&self, error: &dyn std::error::Error) -> ControlError {
        let mut why = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            why = format!("{why}: {inner}");
            cause = inner.source();
        }
        ControlError::Unreachable {
            url: self.base.clone(),
            why,
        }
    }

    fn malformed(&self, error: &dyn fmt::Display) -> ControlError {
        ControlError::Malformed {
            url: self.base.clone(),
            why: error.to_string(),
        }
    }
}

// === impl ControlClient: steering a world ===

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "worlds whose services run elsewhere are steered by these")
)]
impl ControlClient {
    /// Returns once the listener answers.
    ///
    /// # Errors
    /// It does not within `patience`: the last failure. A wrong token is not waited with.
    pub(crate) async fn ready(&self, patience: Duration) -> Result<Status, ControlError> {
        let start = monotonic();
        loop {
            match self.status().await {
                Err(ControlError::Unreachable { .. }) if since(start) < patience => tokio::time::sleep(INTERVAL).await,
                other => return other,
            }
        }
    }

    /// The world's time there.
    pub(crate) async fn clock(&self) -> Result<ClockState, ControlError> {
        self.get("clock").await
    }

    /// Moves the world's time there; it has moved when this returns.
    pub(crate) async fn advance(&self, by: Duration) -> Result<ClockState, ControlError> {
        let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.send(Method::POST, "clock/advance", &Advance { by_ms }).await
    }

    /// What AWS was asked, from this number on.
    pub(crate) async fn journal(&self, since: u64) -> Result<Vec<Entry>, ControlError> {
        self.get(&format!("front/journal?since={since}")).await
    }

    /// What was decided about the request whose answer carried this id; none if nobody knows.
    pub(crate) async fn decision(&self, request_id: &str) -> Result<Option<DecisionRecord>, ControlError> {
        // Of the ids that AWS gives, none has another character.
        if !request_id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_+=".contains(&byte))
        {
            return Ok(None);
        }
        absent(self.get(&format!("front/decisions/{request_id}")).await)
    }

    /// What the metadata service was asked, from this number on.
    pub(crate) async fn metadata_journal(&self, since: u64) -> Result<Vec<MetadataRequest>, ControlError> {
        self.get(&format!("imds/journal?since={since}")).await
    }

    /// What Vault was asked, from this number on, but for what the operator asked.
    ///
    /// # Errors
    /// [`ControlError::Refused`] with 404 where there is no Vault.
    pub(crate) async fn vault_journal(&self, since: u64) -> Result<Vec<rolecall_vault::Entry>, ControlError> {
        self.get(&format!("vault/journal?since={since}")).await
    }

    /// Begins a fault of `imds`, of `vault` or of a service of AWS.
    pub(crate) async fn inject(&self, service: &str, fault: &Fault) -> Result<(), ControlError> {
        self.done(Method::PUT, &format!("faults/{service}"), fault).await
    }

    /// Ends it; none if there was no fault.
    pub(crate) async fn heal(&self, service: &str) -> Result<Option<Healed>, ControlError> {
        absent(
            self.ask(Method::DELETE, &format!("faults/{service}"), Bytes::new())
                .await,
        )
    }

    /// Lets changes of IAM be seen this late, in the world's time.
    pub(crate) async fn set_propagation(&self, delay: Duration) -> Result<(), ControlError> {
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.done(Method::PUT, "propagation", &Propagation { delay_ms }).await
    }

    /// Lets tokens of this issuer be web identities, until the services begin anew.
    pub(crate) async fn set_issuer(&self, issuer: &TokenIssuer) -> Result<(), ControlError> {
        self.done(Method::PUT, "issuer", issuer).await
    }

    /// The instances.
    pub(crate) async fn nodes(&self) -> Result<Vec<Node>, ControlError> {
        self.get("nodes").await
    }

    /// Replaces the instances. One that is told again under its name keeps its id and secrets.
    pub(crate) async fn put_nodes(&self, nodes: &[Node]) -> Result<(), ControlError> {
        self.done(Method::PUT, "nodes", nodes).await
    }

    /// What no report may show.
    pub(crate) async fn secrets(&self) -> Result<Vec<KnownSecret>, ControlError> {
        self.get("secrets").await
    }

    /// Begins anew: clock, accounts, journals, faults, instances. Nothing of before is left when this returns, and what
    /// was made in an upstream has been removed there, but for what the answer names.
    pub(crate) async fn reset(&self, reset: &Reset) -> Result<Removed, ControlError> {
        self.send(Method::POST, "reset", reset).await
    }

    /// Removes from the upstream what was made through the front there.
    pub(crate) async fn remove_all(&self) -> Result<Removed, ControlError> {
        self.send(Method::POST, "remove", &()).await
    }

    async fn done(&self, method: Method, path: &str, body: &(impl Serialize + ?Sized)) -> Result<(), ControlError> {
        self.send::<Value>(method, path, body).await.map(|_| ())
    }
}

impl fmt::Debug for ControlClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlClient")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// What is not there is no failure.
fn absent<T>(answer: Result<T, ControlError>) -> Result<Option<T>, ControlError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(ControlError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
