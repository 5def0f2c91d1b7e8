//! One entry of a `Principal` element.

use crate::error::PolicyError;
use crate::json::Placed;
use crate::principal::{IamArn, Principal, is_account_id};
use crate::principal_element::Standing;
use crate::statement::Question;

/// Somebody whom a `Principal` or `NotPrincipal` element names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trustee {
    /// `*`: everybody, anonymous callers and services too.
    Everyone,
    /// An account id or the ARN of its root: the account as a whole.
    Account {
        id: String,
        written: String,
    },
    /// A user, a role, a role session or a federated user, compared character by character: a `*` in it is no wildcard.
    Arn(String),
    /// `AIDA…` or `AROA…`: the unique id of a user or role, which stands in the place of its ARN once it was deleted.
    UniqueId(String),
    Service(String),
    /// An identity provider, by ARN or name.
    Federated(String),
    /// An account, by the id that S3 has for it.
    CanonicalUser(String),
}

// === impl Trustee ===

impl Trustee {
    /// How closely it names the caller; `None` if it does not.
    pub(crate) fn standing(&self, question: &Question<'_>) -> Option<Standing> {
        match (self, question.principal) {
            (Self::Everyone, _) => Some(Standing::Everyone),
            (Self::Account { id, .. }, caller) => (caller.account() == Some(id)).then_some(Standing::Account),
            (Self::CanonicalUser(id), caller) => {
                let same = caller.account().is_some() && question.view.canonical_user() == Some(id);
                same.then_some(Standing::Account)
            }
            (Self::Arn(arn), Principal::User { arn: caller }) => (arn == caller).then_some(Standing::User),
            (Self::Arn(arn), Principal::AssumedRole { role_arn: origin, .. }) => {
                if arn == origin {
                    Some(Standing::Origin)
                } else {
                    (*arn == question.arn).then_some(Standing::Itself)
                }
            }
            (Self::Arn(arn), Principal::FederatedUser { user_arn, .. }) => {
                if *arn == question.arn {
                    Some(Standing::Itself)
                } else {
                    (Some(arn) == user_arn.as_ref()).then_some(Standing::Origin)
                }
            }
            (Self::UniqueId(id), Principal::User { .. }) => {
                (question.view.single("aws:userid") == Some(id)).then_some(Standing::User)
            }
            (Self::UniqueId(id), Principal::AssumedRole { .. }) => {
                let role = question.view.single("aws:userid")?.split(':').next()?;
                (role == id).then_some(Standing::Origin)
            }
            (Self::Service(name), Principal::Service(caller)) => (name == caller).then_some(Standing::Itself),
            (Self::Federated(provider), Principal::Federated { provider: caller }) => {
                (provider == caller).then_some(Standing::Itself)
            }
            // A session that was made from a token of the provider.
            (Self::Federated(provider), Principal::AssumedRole { .. }) => {
                (question.view.single("aws:federatedprovider") == Some(provider)).then_some(Standing::Origin)
            }
            (Self::Arn(_) | Self::UniqueId(_) | Self::Service(_) | Self::Federated(_), _) => None,
        }
    }

    /// The entry as written.
    pub(crate) fn written(&self) -> &str {
        match self {
            Self::Everyone => "*",
            Self::Account { written, .. } => written,
            Self::Arn(text)
            | Self::UniqueId(text)
            | Self::Service(text)
            | Self::Federated(text)
            | Self::CanonicalUser(text) => text,
        }
    }

    /// Reads an entry under `AWS`.
    pub(crate) fn aws(Placed { text, place }: Placed) -> Result<Self, PolicyError> {
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if is_account_id(&text) {
            return Ok(Self::Account {
                id: text.clone(),
                written: text,
            });
        }
        let unique = text.starts_with("AIDA") || text.starts_with("AROA");
        if unique && (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(Self::UniqueId(text));
        }
        let Some(arn) = IamArn::parse(&text) else {
            return Err(invalid(
                &text,
                place,
                "\"*\", an account id or the ARN of an IAM principal",
            ));
        };
        let (kind, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        match (arn.service, kind, name) {
            ("iam", "root", "") => Ok(Self::Account {
                id: arn.account.to_owned(),
                written: text,
            }),
            ("iam", "user" | "role", name) if !name.is_empty() => Ok(Self::Arn(text)),
            ("sts", "assumed-role" | "federated-user", name) if !name.is_empty() => Ok(Self::Arn(text)),
            _ => Err(invalid(
                &text,
                place,
                "the ARN of a root, user, role, assumed role or federated user",
            )),
        }
    }

    /// Reads an entry under `Service`.
    pub(crate) fn service(Placed { text, place }: Placed) -> Result<Self, PolicyError> {
        if is_host(&text) {
            Ok(Self::Service(text))
        } else {
            Err(invalid(&text, place, "a service such as ec2.amazonaws.com"))
        }
    }

    /// Reads an entry under `Federated`.
    pub(crate) fn federated(Placed { text, place }: Placed) -> Result<Self, PolicyError> {
        let provider = IamArn::parse(&text).and_then(|arn| {
            let (kind, name) = arn.resource.split_once('/')?;
            Some(arn.service == "iam" && matches!(kind, "oidc-provider" | "saml-provider") && !name.is_empty())
        });
        if provider.unwrap_or_else(|| is_host(&text)) {
            Ok(Self::Federated(text))
        } else {
            Err(invalid(
                &text,
                place,
                "the ARN of an oidc-provider or saml-provider, or a provider such as accounts.google.com",
            ))
        }
    }

    /// Reads an entry under `CanonicalUser`.
    pub(crate) fn canonical_user(Placed { text, place }: Placed) -> Result<Self, PolicyError> {
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self::CanonicalUser(text))
        } else {
            Err(invalid(&text, place, "a canonical user id of 64 hexadecimal digits"))
        }
    }
}

/// Whether the text is a host name as services and well-known identity providers have.
fn is_host(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.contains('.') && text.chars().all(known)
}

fn invalid(text: &str, place: String, wanted: &str) -> PolicyError {
    PolicyError::malformed(place, format!("invalid principal {text:?}: must be {wanted}"))
}
