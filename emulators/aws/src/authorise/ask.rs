use std::sync::Arc;

use iam_policy::{Policy, Principal};
use jiff::Timestamp;

/// One question to the policies: may the caller do this action on this resource?
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// The account that the resource belongs to: of a bucket its owner, else the one in the ARN. None: the caller's own.
    pub(crate) resource_account: Option<String>,
    /// How a denial names the resource, if not by its ARN: `on resource: …`. Empty for none.
    pub(crate) shown: Option<String>,
    /// Whether a denial says which kind of policy is at fault. STS does not.
    pub(crate) because: bool,
    /// Condition keys that belong to this action.
    pub(crate) context: Vec<(String, Vec<String>)>,
    /// Who asks, where that is not whoever signed: the holder of an identity provider's token.
    pub(crate) principal: Option<Principal>,
    pub(crate) resource_policy: Option<ResourcePolicy>,
}

/// The policy that hangs on the resource: a bucket's, or a role's trust policy.
#[derive(Clone, Debug)]
pub(crate) struct ResourcePolicy {
    pub(crate) name: String,
    pub(crate) policy: Arc<Policy>,
    pub(crate) since: Timestamp,
}

// === impl Ask ===

impl Ask {
    pub(crate) fn new(action: &str, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        Self {
            action: action.to_owned(),
            resource_account: resource
                .split(':')
                .nth(4)
                .filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()))
                .map(str::to_owned),
            resource,
            shown: None,
            because: true,
            context: Vec::new(),
            principal: None,
            resource_policy: None,
        }
    }

    /// Names the resource otherwise in a denial; IAM says `role MyPodRole`, and an empty text leaves it out.
    pub(crate) fn shown(mut self, text: impl Into<String>) -> Self {
        self.shown = Some(text.into());
        self
    }

    /// Leaves the reason out of a denial.
    pub(crate) fn without_reason(mut self) -> Self {
        self.because = false;
        self
    }

    pub(crate) fn context(self, key: &str, value: impl Into<String>) -> Self {
        self.contexts(key, [value])
    }

    pub(crate) fn contexts(mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.context.push((key.to_owned(), values));
        self
    }

    pub(crate) fn by(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Says whose the resource is, where its ARN does not.
    pub(crate) fn owned_by(mut self, account: Option<&str>) -> Self {
        self.resource_account = account.map(str::to_owned);
        self
    }

    pub(crate) fn resource_policy(mut self, policy: Option<ResourcePolicy>) -> Self {
        self.resource_policy = policy;
        self
    }
}
