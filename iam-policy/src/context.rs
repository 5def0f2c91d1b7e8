//! The condition keys of a request.

use std::borrow::Cow;
use std::cell::OnceCell;

use jiff::Timestamp;

use crate::principal::Principal;

/// Keys that nearly every request has, in lower case, so that they are not written down again for each.
const USUAL: [&str; 18] = [
    "aws:currenttime",
    "aws:epochtime",
    "aws:federatedprovider",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principaltype",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:securetransport",
    "aws:sourceip",
    "aws:tokenissuetime",
    "aws:useragent",
    "aws:userid",
    "aws:username",
    "aws:viaawsservice",
];

/// How many keys a request has that says what requests usually do.
const USUAL_KEYS: usize = 12;

/// Condition keys and their values. Keys are case-insensitive, as AWS's are; each present key has one or more values.
///
/// The evaluator adds what it knows from the request itself, where the context does not say otherwise:
/// `aws:PrincipalArn` (of a role session: the ARN of the role), `aws:PrincipalAccount`, `aws:PrincipalType`,
/// `aws:username` (users only), `aws:userid` (of root users, federated users and the anonymous), `aws:PrincipalIsAWSService`,
/// `aws:PrincipalServiceName` (services only), `aws:FederatedProvider` (before the role is assumed),
/// `aws:ResourceAccount`, and of a [time](Self::set_time) `aws:CurrentTime` and `aws:EpochTime`. Everything else (`aws:userid` of users and sessions, `aws:SourceIp`, `aws:SecureTransport`,
/// `sts:ExternalId`, `s3:prefix`…) the caller sets; a key that is not set is absent, with AWS's meaning of an absent key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// By keys in lower case, sorted by them.
    values: Vec<(Cow<'static, str>, Values)>,
    canonical_user: Option<String>,
    time: Option<Timestamp>,
}

/// The values of a key, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Values {
    One(String),
    /// Two or more.
    Many(Vec<String>),
}

/// The context of a request together with what follows from the request itself.
#[derive(Debug)]
pub(crate) struct View<'a> {
    given: &'a Context,
    principal: &'a Principal,
    resource_account: &'a str,
    /// What follows from the request, made when a policy first asks for a key that is not given.
    derived: OnceCell<Context>,
}

fn in_lower_case(key: &str) -> Cow<'static, str> {
    let usual = USUAL.iter().find(|usual| usual.eq_ignore_ascii_case(key));
    usual.map_or_else(|| Cow::Owned(key.to_ascii_lowercase()), |usual| Cow::Borrowed(*usual))
}

// === impl Values ===

impl Values {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
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
        let key = in_lower_case(key.as_ref());
        let place = self.place(&key);
        let mut values = values.into_iter().map(Into::into);
        let Some(first) = values.next() else {
            if let Ok(at) = place {
                self.values.remove(at);
            }
            return;
        };
        let values = match values.next() {
            None => Values::One(first),
            Some(second) => Values::Many([first, second].into_iter().chain(values).collect()),
        };
        if self.values.is_empty() {
            self.values.reserve(USUAL_KEYS);
        }
        match place {
            Ok(at) => self.values[at].1 = values,
            Err(at) => self.values.insert(at, (key, values)),
        }
    }

    /// Where a key is, or would be; it must be in lower case.
    fn place(&self, key: &str) -> Result<usize, usize> {
        self.values.binary_search_by(|(known, _)| known.as_ref().cmp(key))
    }

    fn find(&self, key: &str) -> Option<&[String]> {
        let at = self.place(key).ok()?;
        self.values.get(at).map(|(_, values)| values.as_slice())
    }

    /// Says which canonical user id the account of the caller has, for policies that name one as `CanonicalUser`. It is
    /// no condition key.
    pub fn set_canonical_user(&mut self, id: impl Into<String>) {
        self.canonical_user = Some(id.into());
    }

    /// Says when the request was made: `aws:CurrentTime` and `aws:EpochTime`, both in whole seconds.
    pub fn set_time(&mut self, at: Timestamp) {
        self.time = Some(at);
    }

    /// The values of a key that was set, at least one; `None` if it is absent.
    #[must_use]
    pub fn get(&self, key: impl AsRef<str>) -> Option<&[String]> {
        self.find(&in_lower_case(key.as_ref()))
    }
}

// === impl View ===

impl<'a> View<'a> {
    pub(crate) fn new(given: &'a Context, principal: &'a Principal, resource_account: &'a str) -> Self {
        Self {
            given,
            principal,
            resource_account,
            derived: OnceCell::new(),
        }
    }

    fn derive(&self) -> Context {
        let (principal, resource_account) = (self.principal, self.resource_account);
        let mut derived = Context::new();
        derived.set("aws:ResourceAccount", resource_account);
        derived.set(
            "aws:PrincipalIsAWSService",
            matches!(principal, Principal::Service(_)).to_string(),
        );
        if let Some(at) = self.given.time {
            derived.set("aws:CurrentTime", at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
            derived.set("aws:EpochTime", at.as_second().to_string());
        }
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
        derived
    }

    /// The values of a key, which must be in lower case.
    pub(crate) fn get(&self, key: &str) -> Option<&[String]> {
        let given = self.given.find(key);
        given.or_else(|| self.derived.get_or_init(|| self.derive()).find(key))
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
