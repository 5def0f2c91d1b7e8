//! The rules by which policies of several types combine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The rule of AWS's evaluation logic that a decision followed. [`Rule::page`] tells where it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Rule {
    /// A deny in any policy ends it.
    ExplicitDeny,
    /// Within an account an identity-based policy has to allow, and so has every permissions boundary and session policy.
    SameAccount,
    /// The policy of the resource names the account of the caller only, which leaves it to the identity-based policies.
    AccountDelegates,
    /// The policy of the resource names everybody, or the role or user that the session comes from: no identity-based policy
    /// has to allow, but a permissions boundary and session policies do.
    NamedWithinLimits,
    /// The policy of the resource names the user or the session itself.
    NamedDirectly,
    /// Both accounts have to allow.
    CrossAccount,
    /// Nobody assumes a role that does not trust.
    TrustRequired,
    /// The trust policy names the caller: no identity-based policy has to allow.
    TrustNamesCaller,
    /// The trust policy names the account of the caller only, which leaves it to the identity-based policies.
    TrustDelegates,
    /// Who has no identity-based policies needs the policy of the resource.
    ResourcePolicyAlone,
    /// The root user may everything in its account, and of what else there is what is allowed to it.
    RootUser,
}

// === impl Rule ===

impl Rule {
    /// The page of the IAM User Guide that has the rule.
    #[must_use]
    pub fn page(self) -> &'static str {
        match self {
            Self::ExplicitDeny
            | Self::SameAccount
            | Self::NamedWithinLimits
            | Self::NamedDirectly
            | Self::ResourcePolicyAlone => "Policy evaluation logic",
            Self::AccountDelegates => "AWS JSON policy elements: Principal",
            Self::CrossAccount => "Cross-account policy evaluation logic",
            Self::TrustRequired | Self::TrustNamesCaller | Self::TrustDelegates => {
                "Granting a user permissions to switch roles"
            }
            Self::RootUser => "AWS account root user",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::ExplicitDeny => "a deny in any policy ends it",
            Self::SameAccount => {
                "within an account an identity-based policy has to allow, and every permissions boundary and session policy"
            }
            Self::AccountDelegates => {
                "the policy of the resource names only the account, which leaves it to identity-based policies"
            }
            Self::NamedWithinLimits => {
                "the policy of the resource suffices, within the permissions boundary and the session policies"
            }
            Self::NamedDirectly => {
                "the policy of the resource names the caller itself, so that no other policy has to allow"
            }
            Self::CrossAccount => "across accounts both the caller's and the resource's policies have to allow",
            Self::TrustRequired => "nobody assumes a role whose trust policy does not allow it",
            Self::TrustNamesCaller => {
                "the trust policy names the caller, within the permissions boundary and the session policies"
            }
            Self::TrustDelegates => {
                "the trust policy names only the account, which leaves it to identity-based policies"
            }
            Self::ResourcePolicyAlone => "who has no identity-based policies needs the policy of the resource",
            Self::RootUser => "the root user needs leave only for roles and for what belongs to other accounts",
        };
        write!(f, "{text} ({})", self.page())
    }
}
