//! A whole policy document.

use std::collections::HashSet;
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
    /// See [`Policy::reads_context`].
    reads_context: bool,
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
    /// The longest document that is read, in bytes. AWS's own limits are far below and differ between APIs: they are for
    /// the caller to check.
    pub const MAX_BYTES: usize = 1 << 20;
    /// The most statements that a document may have.
    pub const MAX_STATEMENTS: usize = 10_000;

    /// Reads a document.
    ///
    /// # Errors
    /// [`crate::ErrorCode::Malformed`] for what AWS refuses as well, and [`crate::ErrorCode::Unsupported`] for what is
    /// not implemented here, both with the place of the first fault.
    pub fn parse(kind: PolicyKind, json: &str) -> Result<Self, PolicyError> {
        Self::read(kind, json).map_err(|error| error.in_kind(kind))
    }

    fn read(kind: PolicyKind, json: &str) -> Result<Self, PolicyError> {
        if json.len() > Self::MAX_BYTES {
            let message = format!("the document has {} bytes, more than {}", json.len(), Self::MAX_BYTES);
            return Err(PolicyError::malformed("", message));
        }
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
            Some(Node::List(list)) if list.len() > Self::MAX_STATEMENTS => {
                let message = format!(
                    "the list has {} statements, more than {}",
                    list.len(),
                    Self::MAX_STATEMENTS
                );
                return Err(PolicyError::malformed("Statement", message));
            }
            Some(Node::List(list)) => list
                .iter()
                .enumerate()
                .map(|(index, node)| Statement::parse(kind, version, node, &format!("Statement[{index}]")))
                .collect::<Result<Vec<_>, _>>()?,
            Some(node) => vec![Statement::parse(kind, version, node, "Statement")?],
        };
        let mut sids = HashSet::new();
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
        let reads_context = statements.iter().any(Statement::reads_context);
        Ok(Self {
            kind,
            statements,
            reads_context,
        })
    }

    /// The kind that the document was parsed as.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// The condition keys that the document reads, in conditions, in policy variables and to recognise principals (by unique
    /// id or identity provider), as written, each once.
    ///
    /// For whoever fills a [`crate::Context`]: a key that is never set counts as absent, and a negated condition on an
    /// absent key holds. Refuse a policy that reads a key which you cannot tell the value of.
    #[must_use]
    pub fn condition_keys(&self) -> Vec<&str> {
        let mut known = HashSet::new();
        let mut keys: Vec<&str> = self.statements.iter().flat_map(Statement::condition_keys).collect();
        keys.retain(|key| known.insert(key.to_ascii_lowercase()));
        keys
    }

    /// Whether the document reads anything of a [`crate::Context`]: a condition key or the canonical user id. If none of
    /// the policies of a request does, an empty one decides it as any other would.
    #[must_use]
    pub fn reads_context(&self) -> bool {
        self.reads_context
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
