//! IAM, query protocol of 2010-05-08.

mod access_key;
mod account;
mod details;
mod entities;
mod group;
mod names;
mod oidc_provider;
mod page;
mod permissions;
mod policy;
mod policy_version;
mod profile;
mod role;
mod tag;
mod user;

use super::{Call, Done};
use permissions::Holder;
use tag::Tagged;

/// Performs an operation, or says that there is none of this name.
pub(crate) fn perform(call: &mut Call<'_>, operation: &str) -> Option<Done> {
    use Holder::{Group, Role, User};
    Some(match operation {
        "CreateRole" => role::create(call),
        "GetRole" => role::get(call),
        "DeleteRole" => role::delete(call),
        "ListRoles" => role::list(call),
        "UpdateRole" => role::update(call),
        "UpdateRoleDescription" => role::update_description(call),
        "UpdateAssumeRolePolicy" => role::update_trust(call),

        "PutRolePolicy" => permissions::put_inline(call, Role),
        "GetRolePolicy" => permissions::get_inline(call, Role),
        "DeleteRolePolicy" => permissions::delete_inline(call, Role),
        "ListRolePolicies" => permissions::list_inline(call, Role),
        "AttachRolePolicy" => permissions::attach(call, Role),
        "DetachRolePolicy" => permissions::detach(call, Role),
        "ListAttachedRolePolicies" => permissions::list_attached(call, Role),
        "PutRolePermissionsBoundary" => permissions::put_boundary(call, Role),
        "DeleteRolePermissionsBoundary" => permissions::delete_boundary(call, Role),

        "CreatePolicy" => policy::create(call),
        "GetPolicy" => policy::get(call),
        "DeletePolicy" => policy::delete(call),
        "ListPolicies" => policy::list(call),
        "ListEntitiesForPolicy" => entities::list_for_policy(call),

        "CreatePolicyVersion" => policy_version::create(call),
        "GetPolicyVersion" => policy_version::get(call),
        "ListPolicyVersions" => policy_version::list(call),
        "SetDefaultPolicyVersion" => policy_version::set_default(call),
        "DeletePolicyVersion" => policy_version::delete(call),

        "CreateInstanceProfile" => profile::create(call),
        "GetInstanceProfile" => profile::get(call),
        "DeleteInstanceProfile" => profile::delete(call),
        "AddRoleToInstanceProfile" => profile::add_role(call),
        "RemoveRoleFromInstanceProfile" => profile::remove_role(call),
        "ListInstanceProfiles" => profile::list(call),
        "ListInstanceProfilesForRole" => profile::list_for_role(call),

        "CreateUser" => user::create(call),
        "GetUser" => user::get(call),
        "DeleteUser" => user::delete(call),
        "ListUsers" => user::list(call),
        "ListGroupsForUser" => group::list_for_user(call),
        "PutUserPolicy" => permissions::put_inline(call, User),
        "GetUserPolicy" => permissions::get_inline(call, User),
        "DeleteUserPolicy" => permissions::delete_inline(call, User),
        "ListUserPolicies" => permissions::list_inline(call, User),
        "AttachUserPolicy" => permissions::attach(call, User),
        "DetachUserPolicy" => permissions::detach(call, User),
        "ListAttachedUserPolicies" => permissions::list_attached(call, User),
        "PutUserPermissionsBoundary" => permissions::put_boundary(call, User),
        "DeleteUserPermissionsBoundary" => permissions::delete_boundary(call, User),

        "CreateGroup" => group::create(call),
        "GetGroup" => group::get(call),
        "DeleteGroup" => group::delete(call),
        "ListGroups" => group::list(call),
        "AddUserToGroup" => group::add_user(call),
        "RemoveUserFromGroup" => group::remove_user(call),
        "PutGroupPolicy" => permissions::put_inline(call, Group),
        "GetGroupPolicy" => permissions::get_inline(call, Group),
        "DeleteGroupPolicy" => permissions::delete_inline(call, Group),
        "ListGroupPolicies" => permissions::list_inline(call, Group),
        "AttachGroupPolicy" => permissions::attach(call, Group),
        "DetachGroupPolicy" => permissions::detach(call, Group),
        "ListAttachedGroupPolicies" => permissions::list_attached(call, Group),

        "CreateAccessKey" => access_key::create(call),
        "DeleteAccessKey" => access_key::delete(call),
        "UpdateAccessKey" => access_key::update(call),
        "ListAccessKeys" => access_key::list(call),
        "GetAccessKeyLastUsed" => access_key::last_used(call),

        "CreateOpenIDConnectProvider" => oidc_provider::create(call),
        "GetOpenIDConnectProvider" => oidc_provider::get(call),
        "ListOpenIDConnectProviders" => oidc_provider::list(call),
        "DeleteOpenIDConnectProvider" => oidc_provider::delete(call),
        "AddClientIDToOpenIDConnectProvider" => oidc_provider::add_client_id(call),
        "RemoveClientIDFromOpenIDConnectProvider" => oidc_provider::remove_client_id(call),
        "UpdateOpenIDConnectProviderThumbprint" => oidc_provider::update_thumbprint(call),

        "TagRole" => tag::tag(call, Tagged::Role),
        "UntagRole" => tag::untag(call, Tagged::Role),
        "ListRoleTags" => tag::list(call, Tagged::Role),
        "TagUser" => tag::tag(call, Tagged::User),
        "UntagUser" => tag::untag(call, Tagged::User),
        "ListUserTags" => tag::list(call, Tagged::User),
        "TagPolicy" => tag::tag(call, Tagged::Policy),
        "UntagPolicy" => tag::untag(call, Tagged::Policy),
        "ListPolicyTags" => tag::list(call, Tagged::Policy),
        "TagInstanceProfile" => tag::tag(call, Tagged::InstanceProfile),
        "UntagInstanceProfile" => tag::untag(call, Tagged::InstanceProfile),
        "ListInstanceProfileTags" => tag::list(call, Tagged::InstanceProfile),
        "TagOpenIDConnectProvider" => tag::tag(call, Tagged::OidcProvider),
        "UntagOpenIDConnectProvider" => tag::untag(call, Tagged::OidcProvider),
        "ListOpenIDConnectProviderTags" => tag::list(call, Tagged::OidcProvider),

        "GetAccountSummary" => account::summary(call),
        "ListAccountAliases" => account::list_aliases(call),
        "GetAccountAuthorizationDetails" => details::get(call),
        _ => return None,
    })
}
