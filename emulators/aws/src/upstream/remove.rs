//! Removing from the upstream what passed the front was made.

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Backend, Element, UpstreamError, details::text, made::Thing};
use crate::state::AccountRef;

/// Pages of a list that are followed; nobody makes that many objects in a run.
const PAGES: usize = 10_000;

/// Not everything that was made could be removed again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} of what was made in the upstream could not be removed: {}", failures.len(), failures.join("; "))]
pub struct RemoveError {
    /// What, and why not.
    pub failures: Vec<String>,
}

type Done = Result<(), UpstreamError>;

// === impl Backend ===

impl Backend {
    /// Removes all that is remembered as made, what depends on other things first, and tells how many things that were.
    /// What is gone already counts as removed.
    ///
    /// # Errors
    /// Something could not be removed; the rest was.
    pub(crate) async fn remove_all(&self, accounts: &[(AccountRef, String)]) -> Result<usize, RemoveError> {
        let mut things = self.made.all();
        things.sort_by_key(|(_, thing)| order(thing));
        let mut failures = Vec::new();
        let mut removed = 0;
        for (account, thing) in things {
            let Some((_, id)) = accounts.iter().find(|(known, _)| *known == account) else {
                continue;
            };
            match self.remove(id, &thing).await {
                Ok(()) => {
                    removed += 1;
                    self.made.remove(account, &thing);
                }
                Err(error) if error.is_absence() => self.made.remove(account, &thing),
                Err(error) => failures.push(format!("{thing:?} of account {id}: {error}")),
            }
            self.changed(account, true).await;
        }
        if failures.is_empty() {
            Ok(removed)
        } else {
            Err(RemoveError { failures })
        }
    }

    async fn remove(&self, account: &str, thing: &Thing) -> Done {
        match thing {
            Thing::Bucket(name) => self.remove_bucket(account, name).await,
            Thing::Key(user, id) => {
                let params = [("UserName", user.as_str()), ("AccessKeyId", id)];
                self.ask(account, "DeleteAccessKey", &params).await
            }
            Thing::Inline(operation, holder, name, policy) => {
                let params = [(*holder, name.as_str()), ("PolicyName", policy)];
                self.ask(account, operation, &params).await
            }
            Thing::Attached(operation, holder, name, arn) => {
                let params = [(*holder, name.as_str()), ("PolicyArn", arn)];
                self.ask(account, operation, &params).await
            }
            Thing::Profile(name) => {
                let named = [("InstanceProfileName", name.as_str())];
                let found = self.client.iam(account, "GetInstanceProfile", &named).await?;
                for role in found.all("RoleName") {
                    let params = [("InstanceProfileName", name.as_str()), ("RoleName", &role.text)];
                    self.ask(account, "RemoveRoleFromInstanceProfile", &params).await?;
                }
                self.ask(account, "DeleteInstanceProfile", &named).await
            }
            Thing::User(name) => self.remove_user(account, name).await,
            Thing::Group(name) => self.remove_group(account, name).await,
            Thing::Role(name) => self.remove_role(account, name).await,
            Thing::Policy(arn) => self.remove_policy(account, arn).await,
            Thing::OidcProvider(arn) => {
                let params = [("OpenIDConnectProviderArn", arn.as_str())];
                self.ask(account, "DeleteOpenIDConnectProvider", &params).await
            }
        }
    }

    async fn ask(&self, account: &str, operation: &str, params: &[(&str, &str)]) -> Done {
        self.client.iam(account, operation, params).await.map(drop)
    }

    /// Asks for each of a list: `list` with `named` has elements `element`, and each of them is the `param` of `remove`.
    async fn for_each(
        &self,
        account: &str,
        named: (&str, &str),
        list: &str,
        element: &str,
        remove: &str,
        param: &str,
    ) -> Done {
        let found = self.client.iam(account, list, &[named]).await?;
        let inner = if element == "member" {
            found.find("PolicyNames")
        } else {
            Some(&found)
        };
        for one in inner.map(|inner| inner.all(element)).unwrap_or_default() {
            self.ask(account, remove, &[named, (param, &one.text)]).await?;
        }
        Ok(())
    }

    async fn remove_role(&self, account: &str, name: &str) -> Done {
        let named = ("RoleName", name);
        self.for_each(
            account,
            named,
            "ListRolePolicies",
            "member",
            "DeleteRolePolicy",
            "PolicyName",
        )
        .await?;
        self.for_each(
            account,
            named,
            "ListAttachedRolePolicies",
            "PolicyArn",
            "DetachRolePolicy",
            "PolicyArn",
        )
        .await?;
        let profiles = "InstanceProfileName";
        let leave = "RemoveRoleFromInstanceProfile";
        self.for_each(account, named, "ListInstanceProfilesForRole", profiles, leave, profiles)
            .await?;
        self.ask(account, "DeleteRole", &[named]).await
    }

    async fn remove_user(&self, account: &str, name: &str) -> Done {
        let named = ("UserName", name);
        self.for_each(
            account,
            named,
            "ListUserPolicies",
            "member",
            "DeleteUserPolicy",
            "PolicyName",
        )
        .await?;
        self.for_each(
            account,
            named,
            "ListAttachedUserPolicies",
            "PolicyArn",
            "DetachUserPolicy",
            "PolicyArn",
        )
        .await?;
        let leave = "RemoveUserFromGroup";
        self.for_each(account, named, "ListGroupsForUser", "GroupName", leave, "GroupName")
            .await?;
        self.for_each(
            account,
            named,
            "ListAccessKeys",
            "AccessKeyId",
            "DeleteAccessKey",
            "AccessKeyId",
        )
        .await?;
        self.ask(account, "DeleteUser", &[named]).await
    }

    async fn remove_group(&self, account: &str, name: &str) -> Done {
        let named = ("GroupName", name);
        self.for_each(
            account,
            named,
            "ListGroupPolicies",
            "member",
            "DeleteGroupPolicy",
            "PolicyName",
        )
        .await?;
        let detach = "DetachGroupPolicy";
        self.for_each(
            account,
            named,
            "ListAttachedGroupPolicies",
            "PolicyArn",
            detach,
            "PolicyArn",
        )
        .await?;
        self.for_each(
            account,
            named,
            "GetGroup",
            "UserName",
            "RemoveUserFromGroup",
            "UserName",
        )
        .await?;
        self.ask(account, "DeleteGroup", &[named]).await
    }

    async fn remove_policy(&self, account: &str, arn: &str) -> Done {
        let named = ("PolicyArn", arn);
        let holders = self.client.iam(account, "ListEntitiesForPolicy", &[named]).await?;
        for (element, detach) in [
            ("RoleName", "DetachRolePolicy"),
            ("UserName", "DetachUserPolicy"),
            ("GroupName", "DetachGroupPolicy"),
        ] {
            for holder in holders.all(element) {
                self.ask(account, detach, &[named, (element, &holder.text)]).await?;
            }
        }
        let versions = self.client.iam(account, "ListPolicyVersions", &[named]).await?;
        for version in versions.all("member") {
            if version.get("IsDefaultVersion") != Some("true") {
                let params = [named, ("VersionId", text(version, "VersionId"))];
                self.ask(account, "DeletePolicyVersion", &params).await?;
            }
        }
        self.ask(account, "DeletePolicy", &[named]).await
    }

    /// A bucket with all versions of its objects and its unfinished uploads.
    async fn remove_bucket(&self, account: &str, name: &str) -> Done {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        for _ in 0..PAGES {
            let page = self
                .list(account, &format!("/{name}?versions"), "ListObjectVersions")
                .await?;
            let versions = page.all("Version").into_iter().chain(page.all("DeleteMarker"));
            for version in versions {
                let (key, id) = (text(version, "Key"), text(version, "VersionId"));
                let path = format!("/{name}/{}?versionId={}", encode(key), encode(id));
                self.delete(account, &path, "DeleteObject").await?;
            }
            // What a page showed is gone, so that the next one is again the first.
            if page.get("IsTruncated") != Some("true") {
                break;
            }
        }
        let uploads = self
            .list(account, &format!("/{name}?uploads"), "ListMultipartUploads")
            .await?;
        for upload in uploads.all("Upload") {
            let (key, id) = (text(upload, "Key"), text(upload, "UploadId"));
            let path = format!("/{name}/{}?uploadId={}", encode(key), encode(id));
            self.delete(account, &path, "AbortMultipartUpload").await?;
        }
        self.delete(account, &format!("/{name}"), "DeleteBucket").await
    }

    async fn list(&self, account: &str, path: &str, operation: &str) -> Result<Element, UpstreamError> {
        self.client.s3(account, Method::GET, path).await?.success(operation)
    }

    async fn delete(&self, account: &str, path: &str, operation: &str) -> Done {
        let reply = self.client.s3(account, Method::DELETE, path).await?;
        if reply.status.is_success() {
            Ok(())
        } else {
            reply.success(operation).map(drop)
        }
    }
}

/// What must be gone before other things can go.
fn order(thing: &Thing) -> u8 {
    match thing {
        Thing::Bucket(_) => 0,
        Thing::Inline(..) | Thing::Attached(..) => 1,
        Thing::Profile(_) => 2,
        Thing::Key(..) => 3,
        Thing::User(_) => 4,
        Thing::Group(_) => 5,
        Thing::Role(_) => 6,
        Thing::Policy(_) | Thing::OidcProvider(_) => 7,
    }
}
