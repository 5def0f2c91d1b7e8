use iam_policy::PolicyKind;

use super::{names::write_tags, page, tag::check_ask};
use crate::{
    answer::{Refusal, Xml, iso8601},
    authorise::Ask,
    identity::entity_id,
    services::{Call, Done, tags},
    state::{Document, Iam, ManagedPolicy, PolicyVersion},
};

pub(super) fn create(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&["PolicyName", "Path", "PolicyDocument", "Description", "Tags"])?;
    let name = params.name("PolicyName", 128)?;
    let path = params.path()?;
    let text = params.required("PolicyDocument")?;
    let arn = format!("arn:aws:iam::{}:policy{path}{name}", call.state[call.account].account);
    let tags = tags::read(params, "InvalidInput")?;
    let ask = Ask::new("iam:CreatePolicy", &arn).shown(format!("policy {name}"));
    check_ask(call, ask, "iam:TagPolicy", &tags)?;

    let own = format!("arn:aws:iam::{}:", call.state[call.account].account);
    let taken = |policy: &ManagedPolicy| policy.arn.starts_with(&own) && policy.name.eq_ignore_ascii_case(name);
    if call.state[call.account].policies.values().any(taken) {
        return Err(Refusal::exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    let policy = ManagedPolicy {
        name: name.to_owned(),
        path: path.to_owned(),
        id: entity_id("ANPA"),
        arn: arn.clone(),
        created: call.now,
        description: params.get("Description").map(str::to_owned),
        tags,
        default: PolicyVersion {
            number: 1,
            created: call.now,
            document: Document::parse(PolicyKind::Identity, text)?,
        },
        default_since: call.now,
        others: Vec::new(),
        latest: 1,
    };
    let xml = shown(&call.state[call.account], &policy);
    call.state[call.account].policies.insert(arn, policy);
    Ok(Some(xml))
}

pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.params.only(&["PolicyArn"])?;
    let arn = checked(call, "iam:GetPolicy")?;
    let policy = call.state[call.account]
        .policies
        .get(&arn)
        .ok_or_else(|| not_found(&arn))?;
    Ok(Some(shown(&call.state[call.account], policy)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Done {
    call.params.only(&["PolicyArn"])?;
    let arn = checked(call, "iam:DeletePolicy")?;
    let policy = call.state[call.account]
        .policies
        .get(&arn)
        .ok_or_else(|| not_found(&arn))?;
    if policy.is_aws() {
        return Err(Refusal::new(
            403,
            "AccessDenied",
            "AWS managed policies cannot be deleted.",
        ));
    }
    if call.state[call.account].attachments(&arn) + call.state[call.account].boundaries(&arn) > 0 {
        return Err(Refusal::delete_conflict("Cannot delete a policy attached to entities."));
    }
    if !policy.others.is_empty() {
        return Err(Refusal::delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
             The default version is deleted with the policy.",
        ));
    }
    call.state[call.account].policies.remove(&arn);
    Ok(None)
}

pub(super) fn list(call: &mut Call<'_>) -> Done {
    call.params.only(&[
        "Scope",
        "OnlyAttached",
        "PathPrefix",
        "PolicyUsageFilter",
        "Marker",
        "MaxItems",
    ])?;
    let resource = format!("arn:aws:iam::{}:policy/", call.state[call.account].account);
    let ask = Ask::new("iam:ListPolicies", &resource).shown("policy path /".to_owned());
    call.gate.check(call.state, ask)?;
    let scope = call.params.get("Scope").unwrap_or("All");
    if !["All", "AWS", "Local"].contains(&scope) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{scope}' at 'scope' failed to satisfy constraint: Member must satisfy \
             enum value set: [All, AWS, Local]"
        )));
    }
    let usage = call.params.get("PolicyUsageFilter");
    if let Some(odd) = usage.filter(|usage| !["PermissionsPolicy", "PermissionsBoundary"].contains(usage)) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{odd}' at 'policyUsageFilter' failed to satisfy constraint: Member must \
             satisfy enum value set: [PermissionsPolicy, PermissionsBoundary]"
        )));
    }
    let only_attached = call.params.get("OnlyAttached") == Some("true");
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let iam = &call.state[call.account];
    let policies: Vec<&ManagedPolicy> = iam
        .policies
        .values()
        .filter(|policy| scope == "All" || (scope == "AWS") == policy.is_aws())
        .filter(|policy| policy.path.starts_with(prefix))
        .filter(|policy| !only_attached || iam.attachments(&policy.arn) + iam.boundaries(&policy.arn) > 0)
        .filter(|policy| match usage {
            Some("PermissionsPolicy") => iam.attachments(&policy.arn) > 0,
            Some(_) => iam.boundaries(&policy.arn) > 0,
            None => true,
        })
        .collect();
    page::write(call.params, "Policies", &policies, |xml, policy| {
        write(xml, iam, policy)
    })
    .map(Some)
}

/// The ARN named, after the caller was found to have permission for this action on it.
pub(super) fn checked(call: &mut Call<'_>, action: &str) -> Result<String, Refusal> {
    let arn = call.params.required("PolicyArn")?;
    call.gate
        .check(call.state, Ask::new(action, arn).shown(format!("policy {arn}")))?;
    Ok(arn.to_owned())
}

pub(super) fn not_found(arn: &str) -> Refusal {
    Refusal::no_such_entity(format!("Policy {arn} was not found."))
}

fn shown(iam: &Iam, policy: &ManagedPolicy) -> Xml {
    let mut xml = Xml::new();
    xml.element("Policy", |xml| {
        write(xml, iam, policy);
        xml.optional("Description", policy.description.as_deref());
        write_tags(xml, &policy.tags);
    });
    xml
}

pub(super) fn write(xml: &mut Xml, iam: &Iam, policy: &ManagedPolicy) {
    xml.text("PolicyName", &policy.name)
        .text("PolicyId", &policy.id)
        .text("Arn", &policy.arn)
        .text("Path", &policy.path)
        .text("DefaultVersionId", &policy.default.id())
        .text("AttachmentCount", &iam.attachments(&policy.arn).to_string())
        .text(
            "PermissionsBoundaryUsageCount",
            &iam.boundaries(&policy.arn).to_string(),
        )
        .text("IsAttachable", "true")
        .text("CreateDate", &iso8601(policy.created))
        .text("UpdateDate", &iso8601(policy.updated()));
}
