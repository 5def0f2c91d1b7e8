use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Document;

/// What a role, a user or a group may do, and since when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permissions {
    pub(crate) inline: BTreeMap<String, Inline>,
    /// In the order of attaching.
    pub(crate) attached: Vec<Attached>,
    pub(crate) boundary: Option<Attached>,
}

#[derive(Clone, Debug)]
pub(crate) struct Inline {
    pub(crate) document: Document,
    pub(crate) at: Timestamp,
}

/// A managed policy by its ARN.
#[derive(Clone, Debug)]
pub(crate) struct Attached {
    pub(crate) arn: String,
    pub(crate) at: Timestamp,
}
