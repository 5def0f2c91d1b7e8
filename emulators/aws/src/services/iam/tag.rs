use super::{
    names::{no_role, no_user, profile_arn, role_arn, user_arn},
    oidc_provider::no_provider,
    page, policy,
    profile::no_profile,
};
use crate::{
    answer::Refusal,
    authorise::Ask,
    services::{Call, Done, tags},
    state::{Iam, Tags},
};

/// What tags hang on. The operations for all are alike but for the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tagged {
    Role,
    User,
    Policy,
    InstanceProfile,
    OidcProvider,
}

/// A tag whose key is there already gets the new value.
pub(super) fn tag(call: &mut Call<'_>, tagged: Tagged) -> Done {
    call.params.only(&[tagged.param(), "Tags"])?;
    let given = tags::read(call.params, "InvalidInput")?;
    let name = call.params.required(tagged.param())?;
    let ask = tagged.ask(&call.state[call.account], &format!("iam:Tag{}", tagged.noun()), name);
    call.gate.check(call.state, tags::requested(ask, &given))?;
    let own = tagged.tags(&mut call.state[call.account], name)?;
    let mut merged = own.clone();
    for (key, value) in given {
        merged.retain(|(other, _)| !same(other, &key));
        merged.push((key, value));
    }
    if merged.len() > tags::MOST {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            format!("The number of tags has reached the maximum limit: {}", tags::MOST),
        ));
    }
    *own = merged;
    Ok(None)
}

/// Removing what is not there succeeds.
pub(super) fn untag(call: &mut Call<'_>, tagged: Tagged) -> Done {
    call.params.only(&[tagged.param(), "TagKeys"])?;
    let keys = call.params.list("TagKeys", "");
    let name = call.params.required(tagged.param())?;
    let ask = tagged.ask(&call.state[call.account], &format!("iam:Untag{}", tagged.noun()), name);
    call.gate.check(call.state, ask.contexts("aws:TagKeys", keys.clone()))?;
    let own = tagged.tags(&mut call.state[call.account], name)?;
    own.retain(|(key, _)| !keys.iter().any(|other| same(key, other)));
    Ok(None)
}

pub(super) fn list(call: &mut Call<'_>, tagged: Tagged) -> Done {
    call.params.only(&[tagged.param(), "Marker", "MaxItems"])?;
    let name = call.params.required(tagged.param())?;
    let ask = tagged.ask(
        &call.state[call.account],
        &format!("iam:List{}Tags", tagged.noun()),
        name,
    );
    call.gate.check(call.state, ask)?;
    let own = tagged.tags(&mut call.state[call.account], name)?;
    page::write(call.params, "Tags", own, |xml, (key, value)| {
        xml.text("Key", key).text("Value", value);
    })
    .map(Some)
}

/// Asks whether something may be made, and be given these tags where there are any.
pub(super) fn check_create(
    call: &mut Call<'_>,
    action: &str,
    tag_action: &str,
    arn: &str,
    given: &Tags,
) -> Result<(), Refusal> {
    check_ask(call, Ask::new(action, arn), tag_action, given)
}

/// As [`check_create`], with a question that says more.
pub(super) fn check_ask(call: &mut Call<'_>, ask: Ask, tag_action: &str, given: &Tags) -> Result<(), Refusal> {
    let mut to_tag = ask.clone();
    tag_action.clone_into(&mut to_tag.action);
    call.gate.check(call.state, tags::requested(ask, given))?;
    if given.is_empty() {
        return Ok(());
    }
    call.gate.check(call.state, tags::requested(to_tag, given))
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

// === impl Tagged ===

impl Tagged {
    fn noun(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::User => "User",
            Self::Policy => "Policy",
            Self::InstanceProfile => "InstanceProfile",
            Self::OidcProvider => "OpenIDConnectProvider",
        }
    }

    fn param(self) -> &'static str {
        match self {
            Self::Role => "RoleName",
            Self::User => "UserName",
            Self::Policy => "PolicyArn",
            Self::InstanceProfile => "InstanceProfileName",
            Self::OidcProvider => "OpenIDConnectProviderArn",
        }
    }

    fn ask(self, iam: &Iam, action: &str, name: &str) -> Ask {
        let none = Tags::new();
        let (arn, shown, own) = match self {
            Self::Role => (role_arn(iam, name), "role", iam.roles.get(name).map(|role| &role.tags)),
            Self::User => (user_arn(iam, name), "user", iam.users.get(name).map(|user| &user.tags)),
            Self::Policy => {
                let policy = iam.policies.get(name).map(|policy| &policy.tags);
                (name.to_owned(), "policy", policy)
            }
            Self::InstanceProfile => {
                let profile = iam.profiles.get(name).map(|profile| &profile.tags);
                (profile_arn(iam, name), "instance profile", profile)
            }
            Self::OidcProvider => {
                let provider = iam.oidc_providers.get(name).map(|provider| &provider.tags);
                (name.to_owned(), "OpenID Connect provider", provider)
            }
        };
        let ask = Ask::new(action, &arn).shown(format!("{shown} {name}"));
        tags::of_resource(ask, own.unwrap_or(&none))
    }

    fn tags<'a>(self, iam: &'a mut Iam, name: &str) -> Result<&'a mut Tags, Refusal> {
        match self {
            Self::Role => iam
                .roles
                .get_mut(name)
                .map(|role| &mut role.tags)
                .ok_or_else(|| no_role(name)),
            Self::User => iam
                .users
                .get_mut(name)
                .map(|user| &mut user.tags)
                .ok_or_else(|| no_user(name)),
            Self::Policy => match iam.policies.get_mut(name) {
                Some(found) if found.is_aws() => Err(Refusal::new(
                    403,
                    "AccessDenied",
                    "AWS managed policies cannot be changed.",
                )),
                Some(found) => Ok(&mut found.tags),
                None => Err(policy::not_found(name)),
            },
            Self::InstanceProfile => {
                let found = iam.profiles.get_mut(name);
                found.map(|profile| &mut profile.tags).ok_or_else(|| no_profile(name))
            }
            Self::OidcProvider => {
                let found = iam.oidc_providers.get_mut(name);
                found
                    .map(|provider| &mut provider.tags)
                    .ok_or_else(|| no_provider(name))
            }
        }
    }
}
