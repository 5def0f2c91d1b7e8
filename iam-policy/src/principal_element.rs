//! The `Principal` element of trust and resource policies.

use crate::error::PolicyError;
use crate::json::{Node, Placed, member};
use crate::principal::{IamArn, Principal, is_account_id};

/// Whom a statement of a trust or resource policy speaks of.
#[derive(Clone, Debug)]
pub(crate) struct PrincipalElement {
    trustees: Vec<Trustee>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Trustee {
    /// `*`: everybody, anonymous callers and services too.
    Everyone,
    /// An account id or the ARN of its root: the account as a whole.
    Account {
        id: String,
        written: String,
    },
    /// A user, a role, a role session or a federated user, compared character by character: a `*` in it is no wildcard.
    Arn(String),
    Service(String),
}

/// How closely a `Principal` element names a caller. The greater, the less else is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// By its account: the account may hand the permission on, by its own identity policies.
    Account,
    /// By `*`.
    Everyone,
    /// A session by the ARN of its role.
    Role,
    /// A user by its ARN.
    User,
    /// A session or a federated user by its own ARN, or a service by its name.
    Itself,
}

// === impl PrincipalElement ===

impl PrincipalElement {
    pub(crate) fn parse(node: &Node, place: &str) -> Result<Self, PolicyError> {
        if let Node::Text(text) = node {
            return match text.as_str() {
                "*" => Ok(Self {
                    trustees: vec![Trustee::Everyone],
                }),
                _ => Err(PolicyError::malformed(
                    place,
                    format!("{text:?} must be \"*\" or an object such as {{\"AWS\": …}}"),
                )),
            };
        }
        let members = node.members(place)?;
        if members.is_empty() {
            return Err(PolicyError::malformed(place, "names nobody"));
        }
        let mut trustees = Vec::new();
        for (kind, node) in members {
            let place = member(place, kind);
            let read = match kind.as_str() {
                "AWS" => aws_trustee,
                "Service" => service_trustee,
                "Federated" | "CanonicalUser" => {
                    return Err(PolicyError::unsupported(
                        place,
                        format!("{kind} principals are not implemented"),
                    ));
                }
                _ => return Err(PolicyError::malformed(place, "is not a kind of principal")),
            };
            for value in node.texts(&place)? {
                trustees.push(read(value)?);
            }
        }
        Ok(Self { trustees })
    }

    /// How closely the caller is named; `None` if it is not.
    pub(crate) fn standing(&self, caller: &Principal) -> Option<Standing> {
        self.trustees
            .iter()
            .filter_map(|trustee| trustee.standing(caller))
            .max()
    }

    /// The element as text, one entry a trustee.
    pub(crate) fn written(&self) -> impl Iterator<Item = &str> {
        self.trustees.iter().map(|trustee| match trustee {
            Trustee::Everyone => "*",
            Trustee::Account { written, .. } => written,
            Trustee::Arn(text) | Trustee::Service(text) => text,
        })
    }
}

// === impl Trustee ===

impl Trustee {
    fn standing(&self, caller: &Principal) -> Option<Standing> {
        match (self, caller) {
            (Self::Everyone, _) => Some(Standing::Everyone),
            (Self::Account { id, .. }, _) => (caller.account() == Some(id)).then_some(Standing::Account),
            (Self::Arn(arn), Principal::User { arn: caller }) => (arn == caller).then_some(Standing::User),
            (Self::Arn(arn), Principal::AssumedRole { role_arn, .. }) => {
                if arn == role_arn {
                    Some(Standing::Role)
                } else {
                    (*arn == caller.arn()).then_some(Standing::Itself)
                }
            }
            (Self::Arn(arn), Principal::FederatedUser { user_arn, .. }) => {
                if *arn == caller.arn() {
                    Some(Standing::Itself)
                } else {
                    (Some(arn) == user_arn.as_ref()).then_some(Standing::User)
                }
            }
            (Self::Service(name), Principal::Service(caller)) => (name == caller).then_some(Standing::Itself),
            (Self::Arn(_) | Self::Service(_), _) => None,
        }
    }
}

fn aws_trustee(Placed { text, place }: Placed) -> Result<Trustee, PolicyError> {
    if text == "*" {
        return Ok(Trustee::Everyone);
    }
    if is_account_id(&text) {
        return Ok(Trustee::Account {
            id: text.clone(),
            written: text,
        });
    }
    if text.len() >= 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        // AIDA… and AROA…: what AWS shows in place of the ARN once the user or role was deleted.
        return Err(PolicyError::unsupported(
            place,
            format!("unique id {text:?} is not implemented, use an ARN"),
        ));
    }
    let Some(arn) = IamArn::parse(&text) else {
        return Err(PolicyError::malformed(
            place,
            format!("invalid principal {text:?}: must be \"*\", an account id or the ARN of an IAM principal"),
        ));
    };
    let (kind, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
    match (arn.service, kind, name) {
        ("iam", "root", "") => Ok(Trustee::Account {
            id: arn.account.to_owned(),
            written: text,
        }),
        ("iam", "user" | "role", name) if !name.is_empty() => Ok(Trustee::Arn(text)),
        ("sts", "assumed-role" | "federated-user", name) if !name.is_empty() => Ok(Trustee::Arn(text)),
        _ => Err(PolicyError::malformed(
            place,
            format!("invalid principal {text:?}: not a root, user, role, assumed-role or federated-user ARN"),
        )),
    }
}

fn service_trustee(Placed { text, place }: Placed) -> Result<Trustee, PolicyError> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.contains('.') && text.chars().all(known) {
        Ok(Trustee::Service(text))
    } else {
        Err(PolicyError::malformed(
            place,
            format!("invalid principal {text:?}: must be a service such as ec2.amazonaws.com"),
        ))
    }
}
