use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::Restored;
use crate::Spanned;

/// Vault: its policies, its Kubernetes auth method and its AWS secrets engine.
///
/// What belongs to a role is passed to Vault as it is written, in Vault's own field names; only `self` and the names of
/// further accounts in ARNs are replaced by numbers.
#[derive(Clone, Debug, Default)]
pub struct Vault {
    /// Files of policies below `fixtures/`, by the policies' names.
    pub policies: BTreeMap<String, Spanned<String>>,
    /// Roles of the Kubernetes auth method by name; `None` = nothing is said of the method.
    pub auth_roles: Option<BTreeMap<String, Spanned<Value>>>,
    /// The user whose access key the AWS secrets engine works with.
    pub root: Option<Spanned<String>>,
    /// `lease` of the AWS secrets engine's `config/lease`.
    pub lease: Option<Duration>,
    /// `lease_max` of it.
    pub lease_max: Option<Duration>,
    /// Roles of the AWS secrets engine by name.
    pub roles: BTreeMap<String, Spanned<Value>>,
    /// Keys written as `null` (see [`Restored`]).
    pub restored: Restored,
}
