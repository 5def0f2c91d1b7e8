//! A whole policy document.

use std::fmt;

use crate::error::PolicyError;
use crate::json::{self, Node};
use crate::statement::Statement;

/// What a document is for, which decides the elements that it must and must not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// Attached to a user, group or role, or used as a permissions boundary or a session policy: no `Principal`.
    Identity,
    /// Who may assume a role: a `Principal`, no `Resource`, actions of STS only.
    Trust,
    /// Attached to a resource such as a bucket: a `Principal` and a `Resource`.
    Resource,
}

/// A parsed policy document. Everything that stands in it is understood; what is not was refused by [`Policy::parse`].
#[derive(Clone, Debug)]
pub struct Policy {
    kind: PolicyKind,
    statements: Vec<Statement>,
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// The default; `${…}` is plain text in it.
    V2008,
    /// With policy variables.
    V2012,
}

// === impl Policy ===

impl Policy {
    /// Reads a document.
    ///
    /// The length of documents is not checked; the limits differ between APIs.
    ///
    /// # Errors
    /// [`crate::ErrorCode::Malformed`] for what AWS refuses as well, and [`crate::ErrorCode::Unsupported`] for what is
    /// not implemented here, both with the place of the first fault.
    pub fn parse(kind: PolicyKind, json: &str) -> Result<Self, PolicyError> {
        let document = json::read(json)?;
        let mut version = Version::V2008;
        let mut statements = None;
        for (key, node) in document.members("")? {
            match key.as_str() {
                "Version" => {
                    version = match node.text(key)? {
                        "2008-10-17" => Version::V2008,
                        "2012-10-17" => Version::V2012,
                        other => {
                            return Err(PolicyError::malformed(
                                key,
                                format!("{other:?} is no version, must be \"2012-10-17\" or \"2008-10-17\""),
                            ));
                        }
                    }
                }
                "Id" => {
                    node.text(key)?;
                }
                "Statement" => statements = Some(node),
                _ => return Err(PolicyError::malformed(key, "is not an element of a policy")),
            }
        }
        let statements = match statements {
            None => return Err(PolicyError::malformed("Statement", "is missing")),
            Some(Node::List(list)) if list.is_empty() => {
                return Err(PolicyError::malformed("Statement", "the list is empty"));
            }
            Some(Node::List(list)) => list
                .iter()
                .enumerate()
                .map(|(index, node)| Statement::parse(kind, version, node, &format!("Statement[{index}]")))
                .collect::<Result<Vec<_>, _>>()?,
            Some(node) => vec![Statement::parse(kind, version, node, "Statement")?],
        };
        let mut sids = std::collections::HashSet::new();
        for (index, statement) in statements.iter().enumerate() {
            if let Some(sid) = statement.sid()
                && !sids.insert(sid)
            {
                return Err(PolicyError::malformed(
                    format!("Statement[{index}].Sid"),
                    format!("{sid:?} is the Sid of an earlier statement too"),
                ));
            }
        }
        Ok(Self { kind, statements })
    }

    /// The kind that the document was parsed as.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// The condition keys that the document reads, in conditions and in policy variables, as written, each once.
    ///
    /// For whoever fills a [`crate::Context`]: a key that is never set counts as absent, and a negated condition on an
    /// absent key holds. Refuse a policy that reads a key which you cannot tell the value of.
    #[must_use]
    pub fn condition_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for key in self.statements.iter().flat_map(Statement::condition_keys) {
            if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                keys.push(key);
            }
        }
        keys
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

// === impl PolicyKind ===

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "an identity-based policy",
            Self::Trust => "a trust policy",
            Self::Resource => "a resource-based policy",
        })
    }
}
