use std::time::Duration;

/// What went wrong with Vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VaultErrorKind {
    /// There is no connection.
    Unreachable,
    /// No answer within `--vault-timeout`.
    Slow,
    /// It is sealed, or not initialised.
    Sealed,
    /// A standby that knows no leader, or that leads in a circle.
    Standby,
    /// Its rate limit.
    Limited,
    /// A status of 500 and above that says no more.
    OutOfOrder,
    /// The answer is not what Vault answers.
    NotVault,
    /// AWS asks Vault to slow down.
    AwsThrottles,
    /// AWS refused what Vault asked of it, or could not be reached by it; or the role cannot be used as it is.
    AwsRefused,
    /// The role's TTL is below what STS gives.
    ShortTtl,
    /// The role gives the keys of an IAM user.
    IamUser,
    /// No such role in the AWS secrets engine.
    NoRole,
    /// No AWS secrets engine at the mount.
    NoEngine,
    /// No auth method at the mount.
    NoAuthMount,
    /// The auth method has no such role.
    NoAuthRole,
    /// The auth method has no configuration.
    AuthNotConfigured,
    /// The auth method does not take the service account's token.
    LoginDenied,
    /// The token's policies do not allow reading the role.
    PolicyDenied,
    /// The Vault token has ended, or was revoked.
    TokenGone,
    /// Another refusal.
    Refused,
    /// The proxy may not create tokens for service accounts.
    AccountTokenForbidden,
    /// The API server gives no token: the pod or its service account is gone.
    AccountTokenRefused,
    /// The API server could not be asked for a token.
    AccountTokenUnavailable,
}

/// What an error means for whoever waits for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody decided that there are none.
    Denied,
    /// There may be some later, without anybody changing a configuration.
    Unavailable,
    /// There are none before somebody changes something.
    Refused,
}

/// How long an error is the answer: at first, and at most if it goes on. It doubles in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) first: Duration,
    pub(super) most: Duration,
}

// === impl VaultErrorKind ===

impl VaultErrorKind {
    /// What an error means for whoever waits for keys.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::LoginDenied | Self::PolicyDenied | Self::TokenGone | Self::IamUser => Outcome::Denied,
            Self::Unreachable
            | Self::Slow
            | Self::Sealed
            | Self::Standby
            | Self::Limited
            | Self::OutOfOrder
            | Self::NotVault
            | Self::AwsThrottles
            | Self::AccountTokenUnavailable => Outcome::Unavailable,
            Self::AwsRefused
            | Self::ShortTtl
            | Self::NoRole
            | Self::NoEngine
            | Self::NoAuthMount
            | Self::NoAuthRole
            | Self::AuthNotConfigured
            | Self::Refused
            | Self::AccountTokenForbidden
            | Self::AccountTokenRefused => Outcome::Refused,
        }
    }

    /// Whether keys obtained earlier may go on being served, until they end: Vault has not said that the pod may no
    /// longer have them.
    pub fn is_transient(self) -> bool {
        !matches!(
            self,
            Self::LoginDenied
                | Self::PolicyDenied
                | Self::TokenGone
                | Self::IamUser
                | Self::NoRole
                | Self::NoAuthRole
                | Self::AccountTokenRefused
        )
    }

    /// How long an error of this kind is the answer.
    pub(super) fn pause(self) -> Pause {
        let (first, most) = match self {
            Self::Unreachable
            | Self::Sealed
            | Self::Standby
            | Self::Limited
            | Self::OutOfOrder
            | Self::NotVault
            | Self::TokenGone
            | Self::AccountTokenUnavailable => (1, 1),
            Self::Slow | Self::AwsThrottles | Self::AwsRefused => (5, 300),
            Self::IamUser => (60, 900),
            Self::ShortTtl
            | Self::NoRole
            | Self::NoEngine
            | Self::NoAuthMount
            | Self::NoAuthRole
            | Self::AuthNotConfigured
            | Self::LoginDenied
            | Self::PolicyDenied
            | Self::Refused
            | Self::AccountTokenForbidden
            | Self::AccountTokenRefused => (1, 30),
        };
        Pause {
            first: Duration::from_secs(first),
            most: Duration::from_secs(most),
        }
    }

    /// Its label in metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Slow => "slow",
            Self::Sealed => "sealed",
            Self::Standby => "standby",
            Self::Limited => "limited",
            Self::OutOfOrder => "out_of_order",
            Self::NotVault => "not_vault",
            Self::AwsThrottles => "aws_throttles",
            Self::AwsRefused => "aws_refused",
            Self::ShortTtl => "short_ttl",
            Self::IamUser => "iam_user",
            Self::NoRole => "no_role",
            Self::NoEngine => "no_engine",
            Self::NoAuthMount => "no_auth_mount",
            Self::NoAuthRole => "no_auth_role",
            Self::AuthNotConfigured => "auth_not_configured",
            Self::LoginDenied => "login_denied",
            Self::PolicyDenied => "policy_denied",
            Self::TokenGone => "token_gone",
            Self::Refused => "refused",
            Self::AccountTokenForbidden => "account_token_forbidden",
            Self::AccountTokenRefused => "account_token_refused",
            Self::AccountTokenUnavailable => "account_token_unavailable",
        }
    }

    /// What it is, and what to do about it.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unreachable => (
                "Vault cannot be reached",
                "check --vault-addr, --vault-ca-cert and the network between the nodes and Vault",
            ),
            Self::Slow => (
                "Vault did not answer in time",
                "look at Vault's load, and whether it reaches AWS; --vault-timeout gives it longer",
            ),
            Self::Sealed => (
                "Vault is sealed or not initialised",
                "unseal it; nothing here needs a restart",
            ),
            Self::Standby => (
                "Vault answers as a standby without a leader",
                "look for the leader of the Vault cluster, or let --vault-addr lead to it",
            ),
            Self::Limited => ("Vault limits the rate of requests", "raise the quota of the path"),
            Self::OutOfOrder => ("Vault failed", "look into Vault's own log"),
            Self::NotVault => (
                "the answer is not Vault's",
                "check --vault-addr: something else than Vault answers there, or before it",
            ),
            Self::AwsThrottles => (
                "AWS throttles Vault",
                "wait, or raise the quota; many short leases make many calls",
            ),
            Self::AwsRefused => (
                "Vault could not get keys from AWS",
                "check the role and config/root of the AWS secrets engine, and what that key may do",
            ),
            Self::ShortTtl => (
                "the Vault role's TTL is below the 900 seconds that STS gives at least",
                "raise default_sts_ttl and max_sts_ttl of the role to 900 seconds or more",
            ),
            Self::IamUser => (
                "the Vault role gives the keys of an IAM user, which have no session token and cannot go through the \
                 metadata service",
                "give the role credential_type assumed_role, federation_token or session_token, or let the pod use \
                 `rolecall-proxy credential-process`",
            ),
            Self::NoRole => (
                "the AWS secrets engine has no such role",
                "write the role, or correct the pod's annotation",
            ),
            Self::NoEngine => (
                "no AWS secrets engine is mounted there",
                "run `vault secrets enable aws`, or name its path by --vault-mount",
            ),
            Self::NoAuthMount => (
                "no Kubernetes auth method is mounted there",
                "run `vault auth enable kubernetes`, or name its path by --vault-auth-mount",
            ),
            Self::NoAuthRole => (
                "the Kubernetes auth method has no such role",
                "write a role of that name at auth/<mount>/role/, or name one for all by --vault-auth-role",
            ),
            Self::AuthNotConfigured => (
                "the Kubernetes auth method has no configuration",
                "write auth/<mount>/config with the address of the API server",
            ),
            Self::LoginDenied => (
                "Vault does not take the pod's service account",
                "check bound_service_account_names and _namespaces and the audience of the auth role, and whether \
                 Vault may create TokenReviews",
            ),
            Self::PolicyDenied => (
                "the policies of the auth role do not allow reading this",
                "give the auth role a policy with the capability `read` on the path",
            ),
            Self::TokenGone => ("the Vault token has ended", "nothing: the next request logs in again"),
            Self::Refused => ("Vault refused", "see what it said"),
            Self::AccountTokenForbidden => (
                "the API server does not let the proxy create tokens for service accounts",
                "grant `create` on `serviceaccounts/token`, or start without --vault-addr",
            ),
            Self::AccountTokenRefused => (
                "the API server gives no token for the pod's service account",
                "check that the pod and its service account exist",
            ),
            Self::AccountTokenUnavailable => (
                "the API server could not be asked for a service account's token",
                "look at the API server",
            ),
        }
    }
}
