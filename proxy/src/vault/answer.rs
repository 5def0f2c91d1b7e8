//! What Vault's answers mean.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{VaultError, VaultErrorKind as Kind, connection::Answer, lease::Token};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Login,
    Read,
    RenewToken,
    RenewLease,
    RevokeToken,
}

/// What all answers that are no errors have around what was asked for.
#[derive(Deserialize)]
pub(super) struct Envelope<D> {
    #[serde(default)]
    pub(super) lease_id: String,
    #[serde(default)]
    pub(super) lease_duration: i64,
    #[serde(default)]
    pub(super) renewable: bool,
    pub(super) data: Option<D>,
    pub(super) auth: Option<Auth>,
}

#[derive(Deserialize)]
pub(super) struct Auth {
    pub(super) client_token: String,
    pub(super) lease_duration: i64,
    pub(super) renewable: bool,
    #[serde(default)]
    pub(super) token_type: String,
}

#[derive(Deserialize)]
pub(super) struct Keys {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: Option<String>,
    pub(super) ttl: Option<i64>,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<String>,
}

// === impl Operation ===

impl Operation {
    pub(super) fn label(self) -> &'static str {
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
    pub(super) fn until(&self, asked: Timestamp) -> Timestamp {
        if self.lease_duration > 0 {
            after(asked, self.lease_duration)
        } else {
            Timestamp::MAX
        }
    }

    pub(super) fn token(self, asked: Timestamp) -> Token {
        Token {
            until: self.until(asked),
            ttl: SignedDuration::from_secs(self.lease_duration.max(0)),
            renewable: self.renewable,
            revocable: self.token_type != "batch",
            secret: self.client_token.into(),
        }
    }
}

/// What an answer that is an error means for what was asked.
pub(super) fn classify(operation: Operation, path: &str, answer: &Answer) -> VaultError {
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
        (StatusCode::FORBIDDEN, _) if has("invalid token") => Kind::TokenGone,
        (StatusCode::FORBIDDEN, _) => Kind::PolicyDenied,
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

/// So many seconds after it was asked for.
pub(super) fn after(asked: Timestamp, seconds: i64) -> Timestamp {
    asked
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rstest::rstest;
    use serde_json::json;

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
    #[case(
        Operation::RenewToken,
        403,
        "1 error occurred:\n\t* permission denied\n\n",
        Kind::PolicyDenied
    )]
    #[case(
        Operation::RevokeToken,
        403,
        "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",
        Kind::TokenGone
    )]
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
