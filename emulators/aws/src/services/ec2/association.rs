use std::borrow::Cow;

use super::{
    Described,
    filter::all_pass,
    input::Input,
    instance::{of_account, profile},
};
use crate::{
    answer::{Refusal, Xml, iso8601_millis},
    services::Call,
};

/// What ties an instance to its profile. Its id follows from the instance's.
pub(super) fn describe(call: &mut Call<'_>, region: &str) -> Described {
    let input = Input::of(call.params, &["AssociationId", "Filter", "MaxResults", "NextToken"])?;
    let (ids, filters) = (input.list("AssociationId")?, input.filters()?);
    let (start, max) = input.page()?;
    Input::check(call, "ec2:DescribeIamInstanceProfileAssociations")?;

    for filter in &filters {
        filter.passes(|name| texts("", name))?;
    }
    let mut known = Vec::new();
    let mut found = Vec::new();
    for (instance, since) in of_account(call.state, call.account, region) {
        let Some(profile) = profile(call.state, call.account, instance) else {
            continue;
        };
        let id = instance.instance_id.replacen("i-", "iip-assoc-", 1);
        known.push(id.clone());
        let named = ids.is_empty() || ids.contains(&id.as_str());
        if all_pass(&filters, |name| texts(&instance.instance_id, name))? && named {
            found.push((id, instance, profile, since));
        }
    }
    if let Some(absent) = ids.iter().find(|id| !known.iter().any(|known| known == *id)) {
        return Err(Refusal::new(
            400,
            "InvalidAssociationID.NotFound",
            format!("An invalid association-id of '{absent}' was given"),
        ));
    }
    let end = max.map_or(found.len(), |max| found.len().min(start.saturating_add(max)));
    let mut xml = Xml::new();
    xml.element("iamInstanceProfileAssociationSet", |xml| {
        for (id, instance, (arn, profile_id), since) in found.get(start..end).unwrap_or_default() {
            xml.element("item", |xml| {
                xml.text("associationId", id)
                    .element("iamInstanceProfile", |xml| {
                        xml.text("arn", arn).text("id", profile_id);
                    })
                    .text("instanceId", &instance.instance_id)
                    .text("state", "associated")
                    .text("timestamp", &iso8601_millis(*since));
            });
        }
    });
    if end < found.len() {
        xml.text("nextToken", &end.to_string());
    }
    Ok(xml)
}

fn texts<'i>(instance: &'i str, filter: &str) -> Option<Vec<Cow<'i, str>>> {
    match filter {
        "instance-id" => Some(vec![instance.into()]),
        "state" => Some(vec!["associated".into()]),
        _ => None,
    }
}
