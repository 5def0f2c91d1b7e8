//! What Vault is asked.

use std::{path::Path, time::Duration};

use http::Method;
use jiff::Timestamp;
use rolecall_clock::{Clock, monotonic, since};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    InvalidTrust, VaultAddr, VaultError, VaultErrorKind as Kind,
    answer::{Envelope, Keys, Operation, after, classify},
    connection::{Answer, Connection, NoAnswer},
    lease::{Lease, Token, UserKeys},
};
use crate::{credentials::Credentials, metrics::Metrics};

/// One Vault.
#[derive(Debug)]
pub(super) struct VaultApi {
    connection: Connection,
    clock: Clock,
    metrics: Metrics,
}

// === impl VaultApi ===

impl VaultApi {
    pub(super) fn new(
        address: VaultAddr,
        ca_cert: Option<&Path>,
        clock: Clock,
        metrics: Metrics,
    ) -> Result<Self, InvalidTrust> {
        Ok(Self {
            connection: Connection::new(address, ca_cert)?,
            clock,
            metrics,
        })
    }

    /// The world's time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// Logs in at `path` as the auth role `role` with a service account's token.
    pub(super) async fn login(
        &self,
        path: &str,
        role: &str,
        jwt: &SecretString,
        within: Duration,
    ) -> Result<Token, VaultError> {
        use secrecy::ExposeSecret as _;
        let asked = self.clock.wall();
        let body = json!({ "role": role, "jwt": jwt.expose_secret() });
        let operation = (Operation::Login, Method::POST, path);
        let envelope: Envelope<Value> = self.ask(operation, None, Some(&body), within).await?;
        let auth = envelope.auth.filter(|auth| !auth.client_token.is_empty());
        let auth = auth.ok_or_else(|| VaultError::new(Kind::NotVault, path, "its answer has no token"))?;
        Ok(auth.token(asked))
    }

    /// Reads a lease of the AWS secrets engine at `path`.
    pub(super) async fn read(&self, path: &str, token: &Token, within: Duration) -> Result<Lease, VaultError> {
        let asked = self.clock.wall();
        let operation = (Operation::Read, Method::GET, path);
        let envelope: Envelope<Keys> = self.ask(operation, Some(&token.secret), None, within).await?;
        let unusable = |what: &str| VaultError::new(Kind::NotVault, path, &format!("its answer has {what}"));
        let keys = envelope.data.ok_or_else(|| unusable("no data"))?;
        if keys.access_key.is_empty() || keys.secret_key.is_empty() {
            return Err(unusable("an empty key"));
        }
        // Both are whole seconds of what STS gave; the shorter one is the truer.
        let seconds = keys
            .ttl
            .map_or(envelope.lease_duration, |ttl| ttl.min(envelope.lease_duration));
        if seconds <= 0 {
            return Err(unusable("a lease that is over"));
        }
        let until = after(asked, seconds);
        Ok(match keys.session_token.filter(|token| !token.is_empty()) {
            Some(session_token) => Lease::Session(Credentials {
                access_key_id: keys.access_key,
                secret_access_key: keys.secret_key,
                session_token,
                expiration: until,
                obtained: asked,
            }),
            None => Lease::IamUser(UserKeys {
                lease_id: envelope.lease_id,
                access_key_id: keys.access_key,
                secret_access_key: keys.secret_key.into(),
                until,
                renewable: envelope.renewable,
            }),
        })
    }

    /// Makes a token last longer; gives it as it is then.
    pub(super) async fn renew(&self, token: &Token, within: Duration) -> Result<Token, VaultError> {
        let asked = self.clock.wall();
        let path = "auth/token/renew-self";
        let operation = (Operation::RenewToken, Method::POST, path);
        let envelope: Envelope<Value> = self
            .ask(operation, Some(&token.secret), Some(&json!({})), within)
            .await?;
        let auth = envelope
            .auth
            .ok_or_else(|| VaultError::new(Kind::NotVault, path, "its answer has no token"))?;
        let until = auth.until(asked);
        Ok(Token {
            secret: token.secret.clone(),
            until,
            ttl: token.ttl,
            // Its maximum cuts it: the next renewal would give less still.
            renewable: auth.renewable && until.duration_since(asked) > token.ttl * 2 / 3,
            revocable: token.revocable,
        })
    }

    /// Makes a lease last longer; gives its new end.
    pub(super) async fn renew_lease(
        &self,
        lease_id: &str,
        token: &Token,
        within: Duration,
    ) -> Result<Timestamp, VaultError> {
        let asked = self.clock.wall();
        let body = json!({ "lease_id": lease_id });
        let operation = (Operation::RenewLease, Method::PUT, "sys/leases/renew");
        let envelope: Envelope<Value> = self.ask(operation, Some(&token.secret), Some(&body), within).await?;
        Ok(after(asked, envelope.lease_duration))
    }

    /// Revokes a token, and with it all its leases. One that is gone already is no error.
    pub(super) async fn revoke(&self, token: &Token, within: Duration) -> Result<(), VaultError> {
        let operation = (Operation::RevokeToken, Method::POST, "auth/token/revoke-self");
        match self.exchange(operation, Some(&token.secret), None, within).await {
            Err(error) if error.kind == Kind::TokenGone => Ok(()),
            other => other.map(|_| ()),
        }
    }

    async fn ask<D: DeserializeOwned>(
        &self,
        operation: (Operation, Method, &str),
        token: Option<&SecretString>,
        body: Option<&Value>,
        within: Duration,
    ) -> Result<Envelope<D>, VaultError> {
        let path = operation.2.to_owned();
        let answer = self.exchange(operation, token, body, within).await?;
        // The error would quote what it read, and that may be a secret.
        serde_json::from_slice(&answer.body).map_err(|error| {
            let said = format!(
                "{} with a body that cannot be read, {:?}",
                answer.status.as_u16(),
                error.classify()
            );
            VaultError::new(Kind::NotVault, path, &said)
        })
    }

    async fn exchange(
        &self,
        (operation, method, path): (Operation, Method, &str),
        token: Option<&SecretString>,
        body: Option<&Value>,
        within: Duration,
    ) -> Result<Answer, VaultError> {
        let started = monotonic();
        let answered = match self.connection.ask(method, path, token, body, within).await {
            Ok(answer) if answer.status.is_success() => Ok(answer),
            Ok(answer) => Err(classify(operation, path, &answer)),
            Err(NoAnswer::Unreachable(said)) => Err(VaultError::new(Kind::Unreachable, path, &said)),
            Err(NoAnswer::Slow(said)) => Err(VaultError::new(Kind::Slow, path, &said)),
            Err(NoAnswer::Led(said)) => Err(VaultError::new(Kind::Standby, path, &said)),
        };
        let result = answered.as_ref().map_or_else(|error| error.kind.label(), |_| "ok");
        self.metrics.vault().asked(operation.label(), result, since(started));
        answered
    }
}
