//! What Vault is asked, and what its answers mean.

use std::{path::Path, time::Duration};

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use rolecall_clock::{Clock, monotonic, since};
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    InvalidTrust, VaultAddr, VaultError, VaultErrorKind as Kind,
    connection::{Answer, Connection, NoAnswer},
    lease::{Lease, Token, UserKeys},
};
use crate::{credentials::Credentials, metrics::Metrics};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Login,
    Read,
    RenewToken,
    RenewLease,
    RevokeToken,
}

/// One Vault.
#[derive(Debug)]
pub(super) struct VaultApi {
    connection: Connection,
    clock: Clock,
    metrics: Metrics,
}

/// What all answers that are no errors have around what was asked for.
#[derive(Deserialize)]
struct Envelope<D> {
    #[serde(default)]
    lease_id: String,
    #[serde(default)]
    lease_duration: i64,
    #[serde(default)]
    renewable: bool,
    data: Option<D>,
    auth: Option<Auth>,
}

#[derive(Deserialize)]
struct Auth {
    client_token: String,
    lease_duration: i64,
    renewable: bool,
    #[serde(default)]
    token_type: String,
}

#[derive(Deserialize)]
struct Keys {
    access_key: String,
    secret_key: String,
    session_token: Option<String>,
    ttl: Option<i64>,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<String>,
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

fn classify(operation: Operation, path: &str, answer: &Answer) -> VaultError {
    let status = answer.status;
    let Ok(Errors { errors }) = serde_json::from_slice(&answer.body) else {
        return VaultError::new(
            Kind::NotVault,
            path,
            &format!("{} with a body that is no JSON of Vault's", status.as_u16()),
        );
    };
    let text = errors.join("; ");
    let has = |part: &str| text.contains(part);
    let kind = match (status, operation) {
        (StatusCode::SERVICE_UNAVAILABLE, _) if has("sealed") || has("initialized") => Kind::Sealed,
        (status, _) if status.is_server_error() && has("local node not active") => Kind::Standby,
        (StatusCode::TOO_MANY_REQUESTS, _) if has("standby") => Kind::Standby,
        (StatusCode::TOO_MANY_REQUESTS, _) => Kind::Limited,
        (StatusCode::BAD_GATEWAY, Operation::Read) => Kind::AwsThrottles,
        (status, Operation::Login) if status.is_server_error() && has("could not load backend configuration") => {
            Kind::AuthNotConfigured
        }
        (status, _) if status.is_server_error() => Kind::OutOfOrder,
        (StatusCode::NOT_FOUND, Operation::Login) => Kind::NoAuthMount,
        (StatusCode::NOT_FOUND, Operation::Read) => Kind::NoEngine,
        (StatusCode::FORBIDDEN, Operation::Login) => Kind::LoginDenied,
        (StatusCode::FORBIDDEN, Operation::Read) if !has("invalid token") => Kind::PolicyDenied,
        (StatusCode::FORBIDDEN, _) => Kind::TokenGone,
        (StatusCode::BAD_REQUEST, Operation::Login) if has("invalid role name") => Kind::NoAuthRole,
        (StatusCode::BAD_REQUEST, Operation::Read) => match () {
            () if has("not allowed for legacy roles") && has("iam_user") => Kind::IamUser,
            () if text.starts_with("Role \"") && has("\" not found") => Kind::NoRole,
            () if has("minimum field value of 900") => Kind::ShortTtl,
            () => Kind::AwsRefused,
        },
        _ => Kind::Refused,
    };
    VaultError::new(kind, path, &format!("{} {text}", status.as_u16()))
}

/// Whether Vault refused the path `creds/`, because a role of the old form is read at `sts/` alone.
pub(super) fn wants_the_other_path(error: &VaultError) -> bool {
    error.said.contains("not allowed for legacy roles")
}

fn after(asked: Timestamp, seconds: i64) -> Timestamp {
    asked
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

// === impl Operation ===

impl Operation {
    fn label(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Read => "read",
            Self::RenewToken => "renew_token",
            Self::RenewLease => "renew_lease",
            Self::RevokeToken => "revoke_token",
        }
    }
}

// === impl Auth ===

impl Auth {
    /// A token without an end says 0.
    fn until(&self, asked: Timestamp) -> Timestamp {
        if self.lease_duration > 0 {
            after(asked, self.lease_duration)
        } else {
            Timestamp::MAX
        }
    }

    fn token(self, asked: Timestamp) -> Token {
        Token {
            until: self.until(asked),
            ttl: SignedDuration::from_secs(self.lease_duration.max(0)),
            renewable: self.renewable,
            revocable: self.token_type != "batch",
            secret: self.client_token.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Operation::Login, 503, "Vault is sealed", Kind::Sealed)]
    #[case(Operation::Read, 503, "Vault is sealed", Kind::Sealed)]
    #[case(
        Operation::Read,
        503,
        "local node not active but active cluster node not found",
        Kind::Standby
    )]
    #[case(Operation::Login, 400, "invalid role name \"nope\"", Kind::NoAuthRole)]
    #[case(Operation::Login, 400, "missing role", Kind::Refused)]
    #[case(
        Operation::Login,
        500,
        "could not load backend configuration",
        Kind::AuthNotConfigured
    )]
    #[case(Operation::Login, 403, "service account name not authorized", Kind::LoginDenied)]
    #[case(Operation::Login, 403, "permission denied", Kind::LoginDenied)]
    #[case(
        Operation::Login,
        404,
        "no handler for route \"auth/kubernetes/login\". route entry not found.",
        Kind::NoAuthMount
    )]
    #[case(
        Operation::Read,
        404,
        "no handler for route \"aws/sts/readonly\". route entry not found.",
        Kind::NoEngine
    )]
    #[case(
        Operation::Read,
        403,
        "1 error occurred:\n\t* permission denied\n\n",
        Kind::PolicyDenied
    )]
    #[case(
        Operation::Read,
        403,
        "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",
        Kind::TokenGone
    )]
    #[case(Operation::Read, 400, "Role \"nope\" not found", Kind::NoRole)]
    #[case(
        Operation::Read,
        400,
        "attempted to retrieve iam_user credentials through the sts path; this is not allowed for legacy roles",
        Kind::IamUser
    )]
    #[case(
        Operation::Read,
        400,
        "Error assuming role: InvalidParameter: 1 validation error(s) found.\n- minimum field value of 900, AssumeRoleInput.DurationSeconds.\n",
        Kind::ShortTtl
    )]
    #[case(
        Operation::Read,
        400,
        "Error assuming role: AccessDenied: User: … is not authorized",
        Kind::AwsRefused
    )]
    #[case(
        Operation::Read,
        400,
        "Error creating IAM user: LimitExceeded: Cannot exceed quota",
        Kind::AwsRefused
    )]
    #[case(
        Operation::Read,
        502,
        "Error creating IAM user: Throttling: Rate exceeded",
        Kind::AwsThrottles
    )]
    #[case(
        Operation::Read,
        429,
        "request path \"aws/sts/x\": rate limit quota exceeded",
        Kind::Limited
    )]
    #[case(Operation::RenewToken, 403, "permission denied", Kind::TokenGone)]
    #[case(Operation::RenewToken, 400, "lease is not renewable", Kind::Refused)]
    #[case(
        Operation::Read,
        405,
        "1 error occurred:\n\t* unsupported operation\n\n",
        Kind::Refused
    )]
    fn an_answer_means_what_it_means_for_what_was_asked(
        #[case] operation: Operation,
        #[case] status: u16,
        #[case] text: &str,
        #[case] kind: Kind,
    ) {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            body: Bytes::from(json!({ "errors": [text] }).to_string()),
        };
        let error = classify(operation, "the/path", &answer);
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.said.starts_with(&status.to_string()), "{error}");
    }

    #[test]
    fn a_page_of_a_load_balancer_is_not_vaults() {
        let answer = Answer {
            status: StatusCode::SERVICE_UNAVAILABLE,
            body: Bytes::from_static(b"<html>secret</html>"),
        };
        let error = classify(Operation::Read, "aws/sts/x", &answer);
        assert_eq!(error.kind, Kind::NotVault);
        assert!(!error.said.contains("secret"), "{error}");
    }
}
