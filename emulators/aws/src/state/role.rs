use jiff::Timestamp;

use super::{Document, Permissions, Tags};

#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: Timestamp,
    pub(crate) trust: Document,
    pub(crate) trust_since: Timestamp,
    pub(crate) description: Option<String>,
    /// Seconds, 3600 to 43200.
    pub(crate) max_session: u32,
    pub(crate) permissions: Permissions,
    pub(crate) tags: Tags,
}

#[derive(Clone, Debug)]
pub(crate) struct InstanceProfile {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: Timestamp,
    /// The name of its role; a profile holds at most one.
    pub(crate) role: Option<String>,
    pub(crate) tags: Tags,
}
