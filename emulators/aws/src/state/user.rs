use jiff::Timestamp;

use super::{Permissions, Tags};

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: Timestamp,
    pub(crate) permissions: Permissions,
    pub(crate) tags: Tags,
}
