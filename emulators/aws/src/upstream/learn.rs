//! What the answers that pass tell.

use jiff::Timestamp;

use super::{Backend, Element, UpstreamError, details::text, made::Thing};
use crate::{
    Secret,
    identity::{Identity, Key, KeyStatus, UserRef},
    params::Params,
    state::{AccountRef, SharedState, State},
};

/// A success of IAM that passes.
pub(crate) struct Passed<'a> {
    pub(crate) account: AccountRef,
    pub(crate) operation: &'a str,
    pub(crate) params: &'a Params,
    /// The user it is about, if its parameters leave that to who asks.
    pub(crate) own_user: Option<&'a str>,
    pub(crate) answer: &'a Element,
    pub(crate) now: Timestamp,
}

/// Changes by which the front must ask again what an account's details leave out.
const UNLISTED: [&str; 8] = [
    "AddClientIDToOpenIDConnectProvider",
    "CreateOpenIDConnectProvider",
    "DeleteOpenIDConnectProvider",
    "RemoveClientIDFromOpenIDConnectProvider",
    "UpdateOpenIDConnectProviderThumbprint",
    "UpdateRole",
    "PutUserPermissionsBoundary",
    "DeleteUserPermissionsBoundary",
];

/// Whether an operation of IAM changes nothing.
pub(crate) fn reads(operation: &str) -> bool {
    ["Get", "List", "Simulate", "Generate"]
        .iter()
        .any(|start| operation.starts_with(start))
}

// === impl Backend ===

impl Backend {
    /// Takes note of a change to IAM before its answer is given on.
    pub(crate) async fn learn(&self, state: &SharedState, passed: &Passed<'_>) -> Result<(), UpstreamError> {
        match passed.operation {
            "CreateAccessKey" => self.learn_key(state, passed).await?,
            "UpdateUser" => self.learn_new_name(state, passed).await?,
            _ => self.learn_keys_end(&mut state.write(), passed),
        }
        self.note(passed);
        let forget = UNLISTED.contains(&passed.operation);
        self.changed(passed.account, forget).await;
        Ok(())
    }

    async fn user(&self, state: &SharedState, account: AccountRef, name: &str) -> Result<UserRef, UpstreamError> {
        let id = state.read()[account].account.clone();
        let answer = self.client.iam(&id, "GetUser", &[("UserName", name)]).await?;
        let user = answer.find("User").ok_or_else(|| UpstreamError::Unreadable {
            operation: "GetUser".to_owned(),
            what: "it has no User".to_owned(),
        })?;
        Ok(UserRef {
            name: text(user, "UserName").to_owned(),
            arn: text(user, "Arn").to_owned(),
            id: text(user, "UserId").to_owned(),
        })
    }

    async fn learn_key(&self, state: &SharedState, passed: &Passed<'_>) -> Result<(), UpstreamError> {
        let unreadable = || UpstreamError::Unreadable {
            operation: passed.operation.to_owned(),
            what: "it holds no access key".to_owned(),
        };
        let key = passed.answer.find("AccessKey").ok_or_else(unreadable)?;
        let (id, secret) = (text(key, "AccessKeyId"), text(key, "SecretAccessKey"));
        if id.is_empty() || secret.is_empty() {
            return Err(unreadable());
        }
        let name = text(key, "UserName");
        let user = self.user(state, passed.account, name).await?;
        self.issued().insert(id.to_owned());
        self.made
            .add(passed.account, Thing::Key(user.name.clone(), id.to_owned()));
        state.write().keys.add(Key {
            id: id.to_owned(),
            secret: Secret::from(secret).into(),
            status: KeyStatus::Active,
            account: passed.account,
            identity: Identity::User(user.into()),
            session: None,
            created: passed.now,
            caller: Default::default(),
        });
        Ok(())
    }

    /// A user's keys go on under its new name.
    async fn learn_new_name(&self, state: &SharedState, passed: &Passed<'_>) -> Result<(), UpstreamError> {
        let Some(old) = passed.params.get("UserName") else {
            return Ok(());
        };
        let new = passed.params.get("NewUserName").unwrap_or(old);
        let user = self.user(state, passed.account, new).await?;
        let mut state = state.write();
        let keys = state.keys.of_user(passed.account, old).into_iter();
        let ids: Vec<String> = keys.map(|key| key.id.clone()).collect();
        for id in ids {
            if let Some(key) = state.keys.get_mut(&id) {
                key.set_user(user.clone());
            }
        }
        Ok(())
    }

    fn learn_keys_end(&self, state: &mut State, passed: &Passed<'_>) {
        let param = |name: &str| passed.params.get(name).unwrap_or_default();
        match passed.operation {
            "DeleteAccessKey" => state.keys.remove(param("AccessKeyId")),
            "UpdateAccessKey" => {
                if let Some(key) = state.keys.get_mut(param("AccessKeyId")) {
                    key.status = if param("Status") == "Active" {
                        KeyStatus::Active
                    } else {
                        KeyStatus::Inactive
                    };
                }
            }
            "DeleteUser" => {
                let keys = state.keys.of_user(passed.account, param("UserName")).into_iter();
                let ids: Vec<String> = keys.map(|key| key.id.clone()).collect();
                for id in ids {
                    state.keys.remove(&id);
                }
            }
            _ => {}
        }
    }

    /// Remembers what was made, and forgets what was deleted.
    fn note(&self, passed: &Passed<'_>) {
        let account = passed.account;
        let param = |name: &str| passed.params.get(name).unwrap_or_default().to_owned();
        let answered = |name: &str| {
            let found = passed.answer.find(name);
            found.map(|found| found.text.clone()).unwrap_or_default()
        };
        let made = &self.made;
        match passed.operation {
            "CreateRole" => made.add(account, Thing::Role(param("RoleName"))),
            "CreateUser" => made.add(account, Thing::User(param("UserName"))),
            "CreateGroup" => made.add(account, Thing::Group(param("GroupName"))),
            "CreateInstanceProfile" => made.add(account, Thing::Profile(param("InstanceProfileName"))),
            "CreatePolicy" => made.add(account, Thing::Policy(answered("Arn"))),
            "CreateOpenIDConnectProvider" => {
                made.add(account, Thing::OidcProvider(answered("OpenIDConnectProviderArn")));
            }
            "DeleteRole" => self.gone(account, Thing::Role(param("RoleName")), &param("RoleName")),
            "DeleteUser" => self.gone(account, Thing::User(param("UserName")), &param("UserName")),
            "DeleteGroup" => self.gone(account, Thing::Group(param("GroupName")), &param("GroupName")),
            "DeleteInstanceProfile" => made.remove(account, &Thing::Profile(param("InstanceProfileName"))),
            "DeletePolicy" => made.remove(account, &Thing::Policy(param("PolicyArn"))),
            "DeleteOpenIDConnectProvider" => {
                made.remove(account, &Thing::OidcProvider(param("OpenIDConnectProviderArn")));
            }
            "DeleteAccessKey" => {
                let user = passed.own_user.map_or_else(|| param("UserName"), str::to_owned);
                made.remove(account, &Thing::Key(user, param("AccessKeyId")));
            }
            operation => self.note_policy(account, operation, &param),
        }
    }

    /// Policies put on or attached to what may have been there before.
    fn note_policy(&self, account: AccountRef, operation: &str, param: &dyn Fn(&str) -> String) {
        let holders = [("Role", "RoleName"), ("User", "UserName"), ("Group", "GroupName")];
        let deletes = [
            ("DeleteRolePolicy", "DetachRolePolicy"),
            ("DeleteUserPolicy", "DetachUserPolicy"),
            ("DeleteGroupPolicy", "DetachGroupPolicy"),
        ];
        for ((noun, name), (delete, detach)) in holders.into_iter().zip(deletes) {
            let inline = || Thing::Inline(delete, name, param(name), param("PolicyName"));
            let attached = || Thing::Attached(detach, name, param(name), param("PolicyArn"));
            if operation == format!("Put{noun}Policy") {
                self.made.add(account, inline());
            } else if operation == delete {
                self.made.remove(account, &inline());
            } else if operation == format!("Attach{noun}Policy") {
                self.made.add(account, attached());
            } else if operation == detach {
                self.made.remove(account, &attached());
            }
        }
    }

    fn gone(&self, account: AccountRef, thing: Thing, holder: &str) {
        let param = match thing {
            Thing::Role(_) => "RoleName",
            Thing::User(_) => "UserName",
            _ => "GroupName",
        };
        self.made.forget(account, |other| match other {
            Thing::Inline(_, of, name, _) | Thing::Attached(_, of, name, _) => *of == param && name == holder,
            Thing::Key(user, _) => param == "UserName" && user == holder,
            other => *other == thing,
        });
    }

    /// Takes note of what a success of S3 made or changed.
    pub(crate) fn learn_s3(
        &self,
        state: &SharedState,
        operation: &str,
        bucket: Option<&str>,
        account: Option<AccountRef>,
        region: &str,
        now: Timestamp,
    ) {
        let Some(bucket) = bucket else { return };
        match (operation, account) {
            ("CreateBucket", Some(account)) if self.buckets.made(&mut state.write(), bucket, account, region, now) => {
                self.made.add(account, Thing::Bucket(bucket.to_owned()));
            }
            ("DeleteBucket", _) => {
                let owner = self.buckets.deleted(&mut state.write(), bucket);
                if let Some(owner) = owner {
                    self.made.remove(owner, &Thing::Bucket(bucket.to_owned()));
                }
            }
            ("PutBucketPolicy" | "DeleteBucketPolicy", _) => self.buckets.policy_changed(bucket),
            _ => {}
        }
    }
}
