//! What was decided, and why, as plain values.

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use crate::rule::Rule;

/// The answer to a request, with the statements that decided it or came near to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Who asked, as [`crate::Principal::arn`] puts it.
    pub principal: String,
    /// The action asked for.
    pub action: String,
    /// The resource asked for: an ARN or `*`.
    pub resource: String,
    /// Allowed or not.
    pub effect: Effect,
    /// Why.
    pub reason: Reason,
    /// The rule by which the policies were put together.
    pub rule: Rule,
    /// The statements that decided: the allowing ones of every policy that had to allow, or the denying ones. Empty
    /// when nothing applied.
    pub statements: Vec<StatementRef>,
    /// After an implicit deny: the allowing statements, of the policies that should have allowed, that did not apply;
    /// those about the action first, and of them those with the fewest mismatches; at most 8. Otherwise empty.
    /// ([`crate::explain`] tells of every statement.)
    pub near_misses: Vec<NearMiss>,
    /// How many more near misses there were.
    pub omitted: usize,
    /// After an implicit deny: the policies that were looked at and did not allow. Otherwise empty.
    pub considered: Vec<String>,
    /// Every policy that was consulted, whatever the outcome.
    pub consulted: Vec<Consulted>,
}

/// A policy that was consulted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Consulted {
    /// As what.
    pub policy_type: PolicyType,
    /// The name given to the attached policy.
    pub policy: String,
    /// How many statements it has.
    pub statements: usize,
}

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Every policy that had to allow does, and none denies.
    Allowed,
    /// A policy that had to allow does not.
    ImplicitDeny,
    /// A policy denies.
    ExplicitDeny,
}

/// The policy types of AWS's "access denied" messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PolicyType {
    /// Inline and managed policies of the caller and its groups.
    IdentityBased,
    /// The permissions boundary of the caller.
    PermissionsBoundary,
    /// The session policies given when the role was assumed.
    Session,
    /// The policy of the resource.
    ResourceBased,
    /// The trust policy of the role to be assumed.
    RoleTrust,
}

/// Why a request was allowed or denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Policies of this type granted it. For requests that both sides must allow: [`PolicyType::IdentityBased`].
    Allows(PolicyType),
    /// The caller is the root user of the account that the resource belongs to.
    AccountRoot,
    /// No policy of this type allows it, and one had to.
    NoneAllows(PolicyType),
    /// A policy of this type denies it.
    Denies(PolicyType),
}

/// A statement of an attached policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatementRef {
    /// The name given to the attached policy.
    pub policy: String,
    /// The position of the statement, counted from 1.
    pub index: usize,
    /// Its `Sid`, if it has one.
    pub sid: Option<String>,
    /// Its content in a few words: `s3:List* on *`.
    pub summary: String,
}

/// An allowing statement that did not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMiss {
    /// The statement.
    pub statement: StatementRef,
    /// Everything in which it differs from the request; at least one.
    pub mismatches: Vec<Mismatch>,
}

/// One difference between a statement and a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mismatch {
    /// The statement is about other actions.
    Action {
        /// The action of the request.
        asked: String,
        /// The actions of the statement, shortened.
        statement: String,
    },
    /// The statement is about other resources.
    Resource {
        /// The resource of the request.
        asked: String,
        /// The resources of the statement, shortened.
        statement: String,
    },
    /// The statement is about other principals.
    Principal {
        /// The caller.
        asked: String,
        /// The principals of the statement, shortened.
        statement: String,
    },
    /// A condition does not hold.
    Condition {
        /// The operator as written, such as `StringEquals`.
        operator: String,
        /// The condition key.
        key: String,
        /// The values in the policy.
        wanted: Vec<String>,
        /// The values in the request; `None` if the key is absent.
        found: Option<Vec<String>>,
    },
    /// The statement applies, but names the account of the caller only: an identity-based policy of that account must
    /// allow the action too.
    OnlyAccount {
        /// The account.
        account: String,
    },
}

/// How many near misses [`Decision`]'s `Display` shows.
const SHOWN: usize = 5;

// === impl Decision ===

impl Decision {
    /// Whether the request may go on.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allowed
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::AccountRoot => {
                write!(
                    f,
                    "allowed: {} is the root user of the account of the resource",
                    self.principal
                )?;
            }
            Reason::Allows(_) => f.write_str("allowed by: ")?,
            Reason::Denies(kind) => write!(f, "denied by an explicit deny in {}: ", kind.with_article())?,
            Reason::NoneAllows(kind) => write!(f, "denied: no {kind} allows {}", self.action)?,
        }
        let applied = match self.reason {
            Reason::Allows(_) | Reason::Denies(_) => self.statements.as_slice(),
            Reason::AccountRoot | Reason::NoneAllows(_) => &[],
        };
        for (index, statement) in applied.iter().enumerate() {
            if index > 0 {
                f.write_str("\n  and by: ")?;
            }
            write!(f, "{statement}")?;
        }
        if self.effect != Effect::ImplicitDeny {
            return Ok(());
        }
        if self.considered.is_empty() {
            f.write_str("\n  there is no such policy")?;
        }
        for miss in self.near_misses.iter().take(SHOWN) {
            write!(f, "\n  {miss}")?;
        }
        match self.near_misses.len().saturating_sub(SHOWN) + self.omitted {
            0 => Ok(()),
            1 => f.write_str("\n  and 1 more statement that does not apply"),
            more => write!(f, "\n  and {more} more statements that do not apply"),
        }
    }
}

// === impl Reason ===

impl Reason {
    /// The end of AWS's message "User: … is not authorized to perform: … on resource: … ": `because no identity-based
    /// policy allows the s3:ListBucket action` or `with an explicit deny in an identity-based policy`. `None` if the
    /// request was allowed.
    #[must_use]
    pub fn clause(&self, action: &str) -> Option<String> {
        match self {
            Self::Allows(_) | Self::AccountRoot => None,
            Self::NoneAllows(kind) => Some(format!("because no {kind} allows the {action} action")),
            Self::Denies(kind) => Some(format!("with an explicit deny in {}", kind.with_article())),
        }
    }
}

// === impl PolicyType ===

impl PolicyType {
    fn with_article(self) -> String {
        match self {
            Self::IdentityBased => format!("an {self}"),
            Self::RoleTrust => format!("the {self}"),
            _ => format!("a {self}"),
        }
    }
}

impl fmt::Display for PolicyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IdentityBased => "identity-based policy",
            Self::PermissionsBoundary => "permissions boundary",
            Self::Session => "session policy",
            Self::ResourceBased => "resource-based policy",
            Self::RoleTrust => "role trust policy",
        })
    }
}

// === impl Consulted ===

impl fmt::Display for Consulted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.statements == 1 { "" } else { "s" };
        write!(
            f,
            "{} ({}, {} statement{plural})",
            self.policy, self.policy_type, self.statements
        )
    }
}

// === impl StatementRef ===

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.index)?;
        if let Some(sid) = &self.sid {
            write!(f, " {sid:?}")?;
        }
        write!(f, " of {} ({})", self.policy, self.summary)
    }
}

// === impl NearMiss ===

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only_account = matches!(self.mismatches.as_slice(), [Mismatch::OnlyAccount { .. }]);
        let verdict = if only_account {
            "does not suffice"
        } else {
            "does not apply"
        };
        write!(f, "{} {verdict}: ", self.statement)?;
        for (index, mismatch) in self.mismatches.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{mismatch}")?;
        }
        Ok(())
    }
}

// === impl Mismatch ===

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action { asked, .. } => write!(f, "the action is {asked}"),
            Self::Resource { asked, .. } => write!(f, "the resource is {asked}"),
            Self::Principal { asked, .. } => write!(f, "the caller is {asked}"),
            Self::Condition {
                operator,
                key,
                wanted,
                found,
            } => {
                write!(f, "{operator} {key} wants {}, ", wanted.join(" or "))?;
                match found {
                    None => f.write_str("the request has none"),
                    Some(values) => write!(f, "the request has {}", values.join(", ")),
                }
            }
            Self::OnlyAccount { account } => {
                write!(
                    f,
                    "it names account {account} only, so that an identity-based policy must allow the action too"
                )
            }
        }
    }
}
