use iam_policy::PolicyKind;

use super::{
    names::{ask_role, ask_user, encoded, group_arn, no_group, no_policy, no_role, no_user},
    page,
};
use crate::{
    answer::{Refusal, Xml},
    authorise::Ask,
    services::{Call, Done},
    state::{Attached, Document, Iam, Inline, Permissions},
};

/// Managed policies that a role or user may have attached.
const ATTACHED: usize = 10;

/// What policies hang on. The operations for all are alike but for the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Role,
    User,
    Group,
}

pub(super) fn put_inline(call: &mut Call<'_>, holder: Holder) -> Done {
    call.params.only(&[holder.param(), "PolicyName", "PolicyDocument"])?;
    let policy = call.params.name("PolicyName", 128)?.to_owned();
    let text = call.params.required("PolicyDocument")?;
    let name = checked(call, holder, &holder.action("Put", "Policy"), None)?;
    let document = Document::parse(PolicyKind::Identity, text)?;
    let inline = Inline { document, at: call.now };
    holder
        .permissions(&mut call.state[call.account], &name)?
        .inline
        .insert(policy, inline);
    Ok(None)
}

pub(super) fn get_inline(call: &mut Call<'_>, holder: Holder) -> Done {
    call.params.only(&[holder.param(), "PolicyName"])?;
    let policy = call.params.name("PolicyName", 128)?;
    let name = checked(call, holder, &holder.action("Get", "Policy"), None)?;
    let inline = &mut holder.permissions(&mut call.state[call.account], &name)?.inline;
    let found = inline.get(policy).ok_or_else(|| no_inline(holder, policy))?;
    let mut xml = Xml::new();
    xml.text(holder.param(), &name)
        .text("PolicyName", policy)
        .text("PolicyDocument", &encoded(&found.document.text));
    Ok(Some(xml))
}

pub(super) fn delete_inline(call: &mut Call<'_>, holder: Holder) -> Done {
    call.params.only(&[holder.param(), "PolicyName"])?;
    let policy = call.params.name("PolicyName", 128)?;
    let name = checked(call, holder, &holder.action("Delete", "Policy"), None)?;
    let inline = &mut holder.permissions(&mut call.state[call.account], &name)?.inline;
    inline.remove(policy).ok_or_else(|| no_inline(holder, policy))?;
    Ok(None)
}

pub(super) fn list_inline(call: &mut Call<'_>, holder: Holder) -> Done {
    call.params.only(&[holder.param(), "Marker", "MaxItems"])?;
    let name = checked(call, holder, &holder.action("List", "Policies"), None)?;
    let names: Vec<String> = holder
        .permissions(&mut call.state[call.account], &name)?
        .inline
        .keys()
        .cloned()
        .collect();
    // Here the members are bare texts.
    page::write(call.params, "PolicyNames", &names, |xml, name| xml.chars(name)).map(Some)
}

pub(super) fn attach(call: &mut Call<'_>, holder: Holder) -> Done {
    call.params.only(&[holder.param(), "PolicyArn"])?;
    let arn = call.params.required("PolicyArn")?;
    let name = checked(call, holder, &format!("iam:Attach{}Policy", holder.noun()), Some(arn))?;
    let known = call.state[call.account].policies.contains_key(arn);
    let attached = Attached {
        arn: arn.to_owned(),
        at: call.now,
    };
    let permissions = holder.permissions(&mut call.state[call.account], &name)?;
    if !known {
        return Err(no_policy(arn));
    }
    // Attaching twice is no error and changes nothing.
    if permissions.attached.iter().any(|other| other.arn == arn) {
        return Ok(None);
    }
    if permissions.attached.len() >= ATTACHED {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for PoliciesPer{}: {ATTACHED}", holder.noun()),
        ));
    }
    permissions.attached.push(attached);
    Ok(None)
}

pub(super) fn detach(call: &mut Call<'_>, holder: Holder) -> Done {
    call.params.only(&[holder.param(), "PolicyArn"])?;
    let arn = call.params.required("PolicyArn")?;
    let name = checked(call, holder, &format!("iam:Detach{}Policy", holder.noun()), Some(arn))?;
    let permissions = holder.permissions(&mut call.state[call.account], &name)?;
    let before = permissions.attached.len();
    permissions.attached.retain(|other| other.arn != arn);
    if permissions.attached.len() == before {
        return Err(Refusal::no_such_entity(format!("Policy {arn} was not found.")));
    }
    Ok(None)
}

pub(super) fn list_attached(call: &mut Call<'_>, holder: Holder) -> Done {
    call.params
        .only(&[holder.param(), "PathPrefix", "Marker", "MaxItems"])?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let name = checked(
        call,
        holder,
        &format!("iam:ListAttached{}Policies", holder.noun()),
        None,
    )?;
    let arns: Vec<String> = holder
        .permissions(&mut call.state[call.account], &name)?
        .attached
        .iter()
        .map(|a| a.arn.clone())
        .collect();
    let policies: Vec<_> = arns
        .iter()
        .filter_map(|arn| call.state[call.account].policies.get(arn))
        .filter(|policy| policy.path.starts_with(prefix))
        .collect();
    page::write(call.params, "AttachedPolicies", &policies, |xml, policy| {
        xml.text("PolicyName", &policy.name).text("PolicyArn", &policy.arn);
    })
    .map(Some)
}

pub(super) fn put_boundary(call: &mut Call<'_>, holder: Holder) -> Done {
    call.params.only(&[holder.param(), "PermissionsBoundary"])?;
    let arn = call.params.required("PermissionsBoundary")?;
    let name = call.params.name(holder.param(), 64)?.to_owned();
    let ask = holder
        .ask(
            &call.state[call.account],
            &holder.action("Put", "PermissionsBoundary"),
            &name,
        )
        .context("iam:PermissionsBoundary", arn);
    call.gate.check(call.state, ask)?;
    let boundary = boundary_of(call, Some(arn))?;
    holder.permissions(&mut call.state[call.account], &name)?.boundary = boundary;
    Ok(None)
}

pub(super) fn delete_boundary(call: &mut Call<'_>, holder: Holder) -> Done {
    call.params.only(&[holder.param()])?;
    let name = checked(call, holder, &holder.action("Delete", "PermissionsBoundary"), None)?;
    if holder
        .permissions(&mut call.state[call.account], &name)?
        .boundary
        .take()
        .is_none()
    {
        return Err(Refusal::no_such_entity(format!(
            "{} {name} has no permissions boundary.",
            holder.noun()
        )));
    }
    Ok(None)
}

/// The policy that a `PermissionsBoundary` parameter names.
pub(super) fn boundary_of(call: &Call<'_>, arn: Option<&str>) -> Result<Option<Attached>, Refusal> {
    let Some(arn) = arn else { return Ok(None) };
    if !call.state[call.account].policies.contains_key(arn) {
        return Err(Refusal::no_such_entity(format!(
            "Scope ARN: {arn} does not exist or is not attachable."
        )));
    }
    Ok(Some(Attached {
        arn: arn.to_owned(),
        at: call.now,
    }))
}

/// The holder named, after the caller was found to have permission for this action on it.
fn checked(call: &mut Call<'_>, holder: Holder, action: &str, policy: Option<&str>) -> Result<String, Refusal> {
    let name = call.params.name(holder.param(), holder.longest())?;
    let mut ask = holder.ask(&call.state[call.account], action, name);
    if let Some(arn) = policy {
        ask = ask.context("iam:PolicyARN", arn);
    }
    call.gate.check(call.state, ask)?;
    Ok(name.to_owned())
}

fn no_inline(holder: Holder, policy: &str) -> Refusal {
    Refusal::no_such_entity(format!(
        "The {} policy with name {policy} cannot be found.",
        holder.noun().to_lowercase()
    ))
}

// === impl Holder ===

impl Holder {
    fn noun(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    fn param(self) -> &'static str {
        match self {
            Self::Role => "RoleName",
            Self::User => "UserName",
            Self::Group => "GroupName",
        }
    }

    /// The longest name it may have, in characters.
    fn longest(self) -> usize {
        match self {
            Self::Role | Self::User => 64,
            Self::Group => 128,
        }
    }

    /// `iam:` with the holder's noun between the two, as in `iam:PutRolePolicy`.
    fn action(self, verb: &str, what: &str) -> String {
        format!("iam:{verb}{}{what}", self.noun())
    }

    fn ask(self, iam: &Iam, action: &str, name: &str) -> Ask {
        match self {
            Self::Role => ask_role(iam, action, name),
            Self::User => ask_user(iam, action, name),
            Self::Group => Ask::new(action, group_arn(iam, name)).shown(format!("group {name}")),
        }
    }

    fn permissions<'a>(self, iam: &'a mut Iam, name: &str) -> Result<&'a mut Permissions, Refusal> {
        match self {
            Self::Role => iam
                .roles
                .get_mut(name)
                .map(|role| &mut role.permissions)
                .ok_or_else(|| no_role(name)),
            Self::User => iam
                .users
                .get_mut(name)
                .map(|user| &mut user.permissions)
                .ok_or_else(|| no_user(name)),
            Self::Group => iam
                .groups
                .get_mut(name)
                .map(|group| &mut group.permissions)
                .ok_or_else(|| no_group(name)),
        }
    }
}
