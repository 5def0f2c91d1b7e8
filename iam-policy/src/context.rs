//! The condition keys of a request.

use std::collections::BTreeMap;

use crate::principal::Principal;

/// Condition keys and their values. Keys are case-insensitive, as AWS's are; each present key has one or more values.
///
/// The evaluator adds what it knows from the request itself, where the context does not say otherwise:
/// `aws:PrincipalArn` (of a role session: the ARN of the role), `aws:PrincipalAccount`, `aws:PrincipalType`,
/// `aws:username` (users only), `aws:userid` (of root users, federated users and the anonymous), `aws:PrincipalIsAWSService`,
/// `aws:PrincipalServiceName` (services only), `aws:FederatedProvider` (before the role is assumed) and
/// `aws:ResourceAccount`. Everything else (`aws:userid` of users and sessions, `aws:SourceIp`, `aws:SecureTransport`,
/// `sts:ExternalId`, `s3:prefix`…) the caller sets; a key that is not set is absent, with AWS's meaning of an absent key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    values: BTreeMap<String, Vec<String>>,
    canonical_user: Option<String>,
}

/// The context of a request together with what follows from the request itself.
#[derive(Debug)]
pub(crate) struct View<'a> {
    given: &'a Context,
    derived: Context,
}

// === impl Context ===

impl Context {
    /// A context without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a key one value, in place of those it had.
    pub fn set(&mut self, key: impl AsRef<str>, value: impl Into<String>) {
        self.set_many(key, [value]);
    }

    /// Gives a key these values, in place of those it had. No values at all make it absent.
    pub fn set_many(&mut self, key: impl AsRef<str>, values: impl IntoIterator<Item = impl Into<String>>) {
        let key = key.as_ref().to_ascii_lowercase();
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            self.values.remove(&key);
        } else {
            self.values.insert(key, values);
        }
    }

    /// Says which canonical user id the account of the caller has, for policies that name one as `CanonicalUser`. It is
    /// no condition key.
    pub fn set_canonical_user(&mut self, id: impl Into<String>) {
        self.canonical_user = Some(id.into());
    }

    /// The values of a key, at least one; `None` if it is absent.
    #[must_use]
    pub fn get(&self, key: impl AsRef<str>) -> Option<&[String]> {
        self.values.get(&key.as_ref().to_ascii_lowercase()).map(Vec::as_slice)
    }
}

// === impl View ===

impl<'a> View<'a> {
    pub(crate) fn new(given: &'a Context, principal: &Principal, resource_account: &str) -> Self {
        let mut derived = Context::new();
        derived.set("aws:ResourceAccount", resource_account);
        derived.set(
            "aws:PrincipalIsAWSService",
            matches!(principal, Principal::Service(_)).to_string(),
        );
        if let Some(account) = principal.account() {
            derived.set("aws:PrincipalAccount", account);
        }
        match principal {
            Principal::Root { account } => {
                derived.set("aws:PrincipalType", "Account");
                derived.set("aws:PrincipalArn", principal.arn());
                derived.set("aws:userid", account);
            }
            Principal::User { arn } => {
                derived.set("aws:PrincipalType", "User");
                derived.set("aws:PrincipalArn", arn);
                if let Some((_, name)) = arn.rsplit_once('/') {
                    derived.set("aws:username", name);
                }
            }
            Principal::AssumedRole { role_arn, .. } => {
                derived.set("aws:PrincipalType", "AssumedRole");
                derived.set("aws:PrincipalArn", role_arn);
            }
            Principal::FederatedUser { account, name, .. } => {
                derived.set("aws:PrincipalType", "FederatedUser");
                derived.set("aws:PrincipalArn", principal.arn());
                derived.set("aws:userid", format!("{account}:{name}"));
            }
            Principal::Service(name) => derived.set("aws:PrincipalServiceName", name),
            Principal::Federated { provider } => derived.set("aws:FederatedProvider", provider),
            Principal::Anonymous => {
                derived.set("aws:PrincipalType", "Anonymous");
                derived.set("aws:userid", "anonymous");
            }
        }
        Self { given, derived }
    }

    /// The values of a key, which must be in lower case.
    pub(crate) fn get(&self, key: &str) -> Option<&[String]> {
        let found = self.given.values.get(key).or_else(|| self.derived.values.get(key));
        found.map(Vec::as_slice)
    }

    /// The one value of a key, which must be in lower case.
    pub(crate) fn single(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some([value]) => Some(value),
            _ => None,
        }
    }

    /// The canonical user id of the caller's account.
    pub(crate) fn canonical_user(&self) -> Option<&str> {
        self.given.canonical_user.as_deref()
    }
}
