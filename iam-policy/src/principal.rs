//! Who asks.

/// The principal of a request, as authentication found it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// The root user of an account.
    Root {
        /// The account id, twelve digits.
        account: String,
    },
    /// An IAM user.
    User {
        /// `arn:aws:iam::ACCOUNT:user/path/NAME`.
        arn: String,
    },
    /// A session of a role.
    AssumedRole {
        /// The role, not the session: `arn:aws:iam::ACCOUNT:role/path/NAME`.
        role_arn: String,
        /// The `RoleSessionName`.
        session_name: String,
    },
    /// A federated user: a session made by GetFederationToken.
    FederatedUser {
        /// The account id, twelve digits.
        account: String,
        /// The user who asked for the session, whose permissions it has within its session policies; none if that was
        /// the root user.
        user_arn: Option<String>,
        /// The `Name` given to GetFederationToken.
        name: String,
    },
    /// A user of an identity provider who is nobody in AWS yet: the caller of `AssumeRoleWithWebIdentity` and
    /// `AssumeRoleWithSAML`. What the provider says of it (`PROVIDER:sub`, `PROVIDER:aud`, `saml:sub`…) stands in the context.
    Federated {
        /// `arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH`, `arn:aws:iam::ACCOUNT:saml-provider/NAME`, or the name of one of
        /// the providers that AWS knows by itself, such as `accounts.google.com`.
        provider: String,
    },
    /// An AWS service that acts in its own name, such as `ec2.amazonaws.com`.
    Service(String),
    /// A request without credentials.
    Anonymous,
}

/// The parts of an IAM ARN that matter here: `arn:PARTITION:iam::ACCOUNT:RESOURCE`.
pub(crate) struct IamArn<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

// === impl Principal ===

impl Principal {
    /// The account that the principal belongs to; none for services, users of identity providers, anonymous requests and
    /// ARNs that are not of IAM.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account } | Self::FederatedUser { account, .. } => Some(account),
            Self::User { arn } | Self::AssumedRole { role_arn: arn, .. } => IamArn::parse(arn).map(|arn| arn.account),
            Self::Federated { .. } | Self::Service(_) | Self::Anonymous => None,
        }
    }

    /// What AWS calls the principal in its answers and messages: the ARN of the user or of the role *session*
    /// (`arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`, without the path of the role), the name of the service, the
    /// identity provider of a user who comes from one, or `anonymous`.
    #[must_use]
    pub fn arn(&self) -> String {
        match self {
            Self::Root { account } => format!("arn:aws:iam::{account}:root"),
            Self::User { arn } => arn.clone(),
            Self::AssumedRole { role_arn, session_name } => {
                let (partition, account, role) = match IamArn::parse(role_arn) {
                    Some(arn) => (arn.partition, arn.account, arn.resource),
                    None => ("aws", "", role_arn.as_str()),
                };
                let name = role.rsplit('/').next().unwrap_or(role);
                format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}")
            }
            Self::FederatedUser { account, name, .. } => format!("arn:aws:sts::{account}:federated-user/{name}"),
            Self::Service(name) | Self::Federated { provider: name } => name.clone(),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }

    /// Whether the ARN inside is of the kind that it should be.
    pub(crate) fn is_well_formed(&self) -> bool {
        let is = |arn: &str, kind: &str| {
            IamArn::parse(arn)
                .and_then(|arn| (arn.service == "iam").then_some(arn.resource))
                .and_then(|resource| resource.strip_prefix(kind))
                .is_some_and(|name| !name.is_empty() && !name.ends_with('/'))
        };
        match self {
            Self::Root { account } => is_account_id(account),
            Self::User { arn } => is(arn, "user/"),
            Self::AssumedRole { role_arn, .. } => is(role_arn, "role/"),
            Self::FederatedUser {
                account,
                user_arn,
                name,
            } => is_account_id(account) && !name.is_empty() && user_arn.as_ref().is_none_or(|arn| is(arn, "user/")),
            Self::Federated { .. } | Self::Service(_) | Self::Anonymous => true,
        }
    }
}

// === impl IamArn ===

impl<'a> IamArn<'a> {
    /// Reads an ARN of IAM or STS: no region, an account of twelve digits, a resource.
    pub(crate) fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let mut next = || parts.next();
        let [
            Some("arn"),
            Some(partition),
            Some(service),
            Some(""),
            Some(account),
            Some(resource),
        ] = [next(), next(), next(), next(), next(), next()]
        else {
            return None;
        };
        let known = matches!(service, "iam" | "sts") && partition.starts_with("aws") && is_account_id(account);
        (known && !resource.is_empty()).then_some(Self {
            partition,
            service,
            account,
            resource,
        })
    }
}

/// Whether the text is an account id: twelve digits.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
