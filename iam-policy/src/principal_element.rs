//! The `Principal` and `NotPrincipal` elements of trust and resource policies.

use crate::error::PolicyError;
use crate::json::{Node, member};
use crate::principal::Principal;
use crate::statement::Question;
use crate::trustee::Trustee;

/// Whom a statement of a trust or resource policy speaks of.
#[derive(Clone, Debug)]
pub(crate) struct PrincipalElement {
    /// `NotPrincipal`: everybody but these.
    negated: bool,
    trustees: Vec<Trustee>,
}

/// How closely a `Principal` element names a caller. The greater, the less else is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// By its account: the account may hand the permission on, by its own identity policies.
    Account,
    /// By `*`, or by not being named in `NotPrincipal`.
    Everyone,
    /// A session by the ARN of the role or user that it comes from.
    Origin,
    /// A user by its ARN.
    User,
    /// A session or a federated user by its own ARN, a service by its name, whoever comes from an identity provider by that.
    Itself,
}

// === impl PrincipalElement ===

impl PrincipalElement {
    pub(crate) fn parse(node: &Node, place: &str, negated: bool) -> Result<Self, PolicyError> {
        if let Node::Text(text) = node {
            return match text.as_str() {
                "*" => Ok(Self {
                    negated,
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
                "AWS" => Trustee::aws,
                "Service" => Trustee::service,
                "Federated" => Trustee::federated,
                "CanonicalUser" => Trustee::canonical_user,
                _ => return Err(PolicyError::malformed(place, "is not a kind of principal")),
            };
            for value in node.texts(&place)? {
                trustees.push(read(value)?);
            }
        }
        Ok(Self { negated, trustees })
    }

    /// How closely the caller is named; `None` if it is not. `denies` tells the effect of the statement.
    pub(crate) fn standing(&self, question: &Question<'_>, denies: bool) -> Option<Standing> {
        if !self.negated {
            let standings = self.trustees.iter().filter_map(|trustee| trustee.standing(question));
            return standings.max();
        }
        let excepted = if denies {
            self.excepts_wholly(question)
        } else {
            self.trustees.iter().any(|trustee| trustee.standing(question).is_some())
        };
        (!excepted).then_some(Standing::Everyone)
    }

    /// Whether a `Deny` with this `NotPrincipal` spares the caller. AWS checks the account first, then the user or the
    /// role, then the session, and each of them must be excepted; and it spares nobody who has a permissions boundary.
    /// Source: "AWS JSON policy elements: NotPrincipal" and "Permissions boundaries for IAM entities".
    fn excepts_wholly(&self, question: &Question<'_>) -> bool {
        let named = |wanted: Standing| {
            let mut standings = self.trustees.iter().filter_map(|trustee| trustee.standing(question));
            standings.any(|standing| standing == wanted || standing == Standing::Everyone)
        };
        if question.bounded {
            return false;
        }
        match question.principal {
            Principal::Root { .. } => named(Standing::Account),
            Principal::User { .. } => named(Standing::Account) && named(Standing::User),
            Principal::AssumedRole { .. } => {
                named(Standing::Account) && named(Standing::Origin) && named(Standing::Itself)
            }
            Principal::FederatedUser { .. } => named(Standing::Account) && named(Standing::Itself),
            Principal::Service(_) | Principal::Federated { .. } => named(Standing::Itself),
            Principal::Anonymous => named(Standing::Everyone),
        }
    }

    /// Whether it cannot be told without knowing the canonical user id of the caller's account.
    pub(crate) fn asks_for_canonical_user(&self) -> bool {
        let canonical = |trustee: &Trustee| matches!(trustee, Trustee::CanonicalUser(_));
        self.trustees.iter().any(canonical)
    }

    /// The condition keys by which trustees are recognised.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.trustees.iter().filter_map(|trustee| match trustee {
            Trustee::UniqueId(_) => Some("aws:userid"),
            Trustee::Federated(_) => Some("aws:FederatedProvider"),
            _ => None,
        })
    }

    /// Whether it is `NotPrincipal`.
    pub(crate) fn is_negated(&self) -> bool {
        self.negated
    }

    /// The element as text, one entry a trustee.
    pub(crate) fn written(&self) -> impl Iterator<Item = &str> {
        self.trustees.iter().map(Trustee::written)
    }
}
