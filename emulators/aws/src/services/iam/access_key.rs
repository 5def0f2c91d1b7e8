use std::sync::Arc;

use super::{
    names::no_user,
    page,
    user::{check, own_name},
};
use crate::{
    answer::{Refusal, Xml, iso8601},
    identity::{Identity, Key, KeyStatus, UserRef, access_key_id, secret_access_key},
    services::{Call, Done},
};

/// Access keys that a user may have.
const KEYS: usize = 2;

pub(super) fn create(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName"])?;
    let name = checked(call, "iam:CreateAccessKey")?;
    let user = call.state[call.account]
        .users
        .get(&name)
        .ok_or_else(|| no_user(&name))?;
    if call.state.keys.of_user(call.account, &name).len() >= KEYS {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for AccessKeysPerUser: {KEYS}"),
        ));
    }
    let secret = secret_access_key();
    let key = Key {
        id: access_key_id("AKIA"),
        secret: secret.clone().into(),
        status: KeyStatus::Active,
        account: call.account,
        identity: Identity::User(Arc::new(UserRef {
            name: name.clone(),
            arn: user.arn.clone(),
            id: user.id.clone(),
        })),
        session: None,
        created: call.now,
        caller: Default::default(),
    };
    let mut xml = Xml::new();
    xml.element("AccessKey", |xml| {
        xml.text("UserName", &name)
            .text("AccessKeyId", &key.id)
            .text("Status", "Active")
            .text("SecretAccessKey", secret.expose())
            .text("CreateDate", &iso8601(key.created));
    });
    call.state.keys.add(key);
    Ok(Some(xml))
}

pub(super) fn delete(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName", "AccessKeyId"])?;
    let id = call.params.required("AccessKeyId")?;
    let name = checked(call, "iam:DeleteAccessKey")?;
    of_user(call, &name, id)?;
    call.state.keys.remove(id);
    Ok(None)
}

pub(super) fn update(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName", "AccessKeyId", "Status"])?;
    let id = call.params.required("AccessKeyId")?;
    let status = match call.params.required("Status")? {
        "Active" => KeyStatus::Active,
        "Inactive" => KeyStatus::Inactive,
        other => {
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must \
                 satisfy enum value set: [Active, Inactive]"
            )));
        }
    };
    let name = checked(call, "iam:UpdateAccessKey")?;
    of_user(call, &name, id)?.status = status;
    Ok(None)
}

pub(super) fn list(call: &mut Call<'_>) -> Done {
    call.params.only(&["UserName", "Marker", "MaxItems"])?;
    let name = checked(call, "iam:ListAccessKeys")?;
    if !call.state[call.account].users.contains_key(&name) {
        return Err(no_user(&name));
    }
    let keys = call.state.keys.of_user(call.account, &name);
    page::write(call.params, "AccessKeyMetadata", &keys, |xml, key| {
        xml.text("UserName", &name)
            .text("AccessKeyId", &key.id)
            .text(
                "Status",
                if key.status == KeyStatus::Active {
                    "Active"
                } else {
                    "Inactive"
                },
            )
            .text("CreateDate", &iso8601(key.created));
    })
    .map(Some)
}

/// What a key was last used for is not kept; IAM says N/A of one that was not used since it keeps that.
pub(super) fn last_used(call: &mut Call<'_>) -> Done {
    call.params.only(&["AccessKeyId"])?;
    let id = call.params.required("AccessKeyId")?;
    let found = call.state.keys.get(id).filter(|key| key.session.is_none());
    let user = found
        .filter(|key| key.account == call.account)
        .and_then(|key| match &key.identity {
            Identity::User(user) => Some(user.name.clone()),
            _ => None,
        });
    // Without a user there is nothing else to ask about than any.
    check(call, "iam:GetAccessKeyLastUsed", user.as_deref().unwrap_or("*"))?;
    let user = user.ok_or_else(|| Refusal::no_such_entity(format!("The Access Key with id {id} cannot be found.")))?;
    let mut xml = Xml::new();
    xml.text("UserName", &user).element("AccessKeyLastUsed", |xml| {
        xml.text("ServiceName", "N/A").text("Region", "N/A");
    });
    Ok(Some(xml))
}

/// The user named, or the one who asks, after permission for this action was found.
fn checked(call: &mut Call<'_>, action: &str) -> Result<String, Refusal> {
    let name = match call.params.get("UserName") {
        Some(_) => call.params.name("UserName", 64)?.to_owned(),
        None => own_name(call)?,
    };
    check(call, action, &name)?;
    Ok(name)
}

/// A key of this user; nobody can touch the root key or a session's.
fn of_user<'a>(call: &'a mut Call<'_>, user: &str, id: &str) -> Result<&'a mut Key, Refusal> {
    if !call.state[call.account].users.contains_key(user) {
        return Err(no_user(user));
    }
    call.state
        .keys
        .get_mut(id)
        .filter(|key| key.is_of(call.account, user))
        .ok_or_else(|| Refusal::no_such_entity(format!("The Access Key with id {id} cannot be found.")))
}
