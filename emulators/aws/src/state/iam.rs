use std::collections::BTreeMap;

use super::{Group, InstanceProfile, ManagedPolicy, OidcProvider, Permissions, Role, User};
use crate::managed;

/// The IAM of one account.
#[derive(Clone, Debug)]
pub(crate) struct Iam {
    /// The account id, twelve digits.
    pub(crate) account: String,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) profiles: BTreeMap<String, InstanceProfile>,
    /// OpenID Connect providers by ARN.
    pub(crate) oidc_providers: BTreeMap<String, OidcProvider>,
    /// Managed policies by ARN, AWS's own among them.
    pub(crate) policies: BTreeMap<String, ManagedPolicy>,
}

// === impl Iam ===

impl Iam {
    pub(crate) fn new(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            roles: BTreeMap::new(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            profiles: BTreeMap::new(),
            oidc_providers: BTreeMap::new(),
            policies: managed::policies()
                .iter()
                .map(|policy| (policy.arn.clone(), policy.clone()))
                .collect(),
        }
    }

    /// The role with this ARN (path included), if it is in this account.
    pub(crate) fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        let name = arn.rsplit('/').next()?;
        self.roles.get(name).filter(|role| role.arn == arn)
    }

    /// The provider of this issuer, given as the `iss` of a token.
    pub(crate) fn oidc_provider_of(&self, issuer: &str) -> Option<&OidcProvider> {
        let issuer = issuer.strip_prefix("https://")?;
        self.oidc_providers.values().find(|provider| provider.issuer == issuer)
    }

    /// How many roles, users and groups a managed policy is attached to.
    pub(crate) fn attachments(&self, arn: &str) -> usize {
        self.holders()
            .filter(|permissions| permissions.attached.iter().any(|a| a.arn == arn))
            .count()
    }

    /// How many roles and users have this policy as their boundary.
    pub(crate) fn boundaries(&self, arn: &str) -> usize {
        self.holders()
            .filter(|permissions| permissions.boundary.as_ref().is_some_and(|b| b.arn == arn))
            .count()
    }

    fn holders(&self) -> impl Iterator<Item = &Permissions> {
        let roles = self.roles.values().map(|role| &role.permissions);
        let users = self.users.values().map(|user| &user.permissions);
        let groups = self.groups.values().map(|group| &group.permissions);
        roles.chain(users).chain(groups)
    }
}
