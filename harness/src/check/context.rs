//! What a judgement may know beside the answer itself.

use std::collections::{BTreeMap, BTreeSet};

use super::Keys;

/// A line under the excerpt of a failure, such as `signed by ASIA…7Q: role MyPodRole`.
pub(crate) type Note = String;

/// What an earlier step kept.
#[derive(Clone, Debug)]
pub(crate) enum Saved {
    /// Keys of a `credentials` or `imds` step.
    Keys(Keys),
    /// An IMDSv2 token.
    Token(String),
}

/// Names and facts of the scenario that the words of an expectation refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// What earlier steps kept.
    pub(crate) saved: BTreeMap<String, Saved>,
    /// Role names that the acting pod was given at some time; keys of any other are never a former state.
    pub(crate) given_roles: BTreeSet<String>,
    /// Name of the nodes' role, for the word `node`.
    pub(crate) node_role: String,
    /// Name of the masters' role, for the word `master`.
    pub(crate) master_role: String,
}

// === impl Context ===

impl Context {
    /// The name of the role that a word stands for: `node`, `master`, a name, a path and name, or an ARN.
    pub(crate) fn role_name<'a>(&'a self, word: &'a str) -> &'a str {
        match word {
            "node" => &self.node_role,
            "master" => &self.master_role,
            other => other.rsplit('/').next().unwrap_or(other),
        }
    }

    /// Keys that an earlier step kept.
    pub(crate) fn saved_keys(&self, name: &str) -> Option<&Keys> {
        match self.saved.get(name)? {
            Saved::Keys(keys) => Some(keys),
            Saved::Token(_) => None,
        }
    }
}
