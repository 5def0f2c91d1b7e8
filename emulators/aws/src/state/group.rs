use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Permissions;

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: Timestamp,
    /// A group has no boundary.
    pub(crate) permissions: Permissions,
    /// The names of the users in it.
    pub(crate) members: BTreeSet<String>,
}
