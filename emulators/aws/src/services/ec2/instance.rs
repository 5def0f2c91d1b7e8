use std::borrow::Cow;

use jiff::Timestamp;

use super::{Described, filter::all_pass, input::Input};
use crate::{
    answer::{Refusal, Xml, iso8601_millis},
    front::Ec2Instance,
    services::Call,
    state::{AccountRef, State},
};

pub(super) fn describe(call: &mut Call<'_>, region: &str) -> Described {
    let input = Input::of(call.params, &["InstanceId", "Filter", "MaxResults", "NextToken"])?;
    let (ids, filters) = (input.list("InstanceId")?, input.filters()?);
    let (start, max) = input.page()?;
    if max.is_some() && !ids.is_empty() {
        return Err(Refusal::new(
            400,
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        ));
    }
    Input::check(call, "ec2:DescribeInstances")?;

    let own = of_account(call.state, call.account, region);
    check_ids(&ids, &own)?;
    let mut found = Vec::new();
    for (instance, since) in own {
        let named = ids.is_empty() || ids.contains(&instance.instance_id.as_str());
        // The filters are looked at for every instance, so that one that is none is told.
        if all_pass(&filters, |name| texts(instance, name))? && named {
            found.push((instance, since));
        }
    }
    // Without instances to look at nobody would hear of a filter that is none.
    for filter in &filters {
        filter.passes(|name| texts(&NONE, name))?;
    }
    let end = max.map_or(found.len(), |max| found.len().min(start.saturating_add(max)));
    let page = found.get(start..end).ok_or_else(|| {
        Refusal::new(
            400,
            "InvalidParameterValue",
            format!("Unable to parse pagination token {start}"),
        )
    })?;
    let mut xml = Xml::new();
    xml.element("reservationSet", |xml| {
        for (instance, since) in page {
            xml.element("item", |xml| write(xml, call.state, call.account, instance, *since));
        }
    });
    if end < found.len() {
        xml.text("nextToken", &end.to_string());
    }
    Ok(xml)
}

/// An instance that has nothing.
static NONE: Ec2Instance = Ec2Instance {
    instance_id: String::new(),
    instance_type: String::new(),
    ami_id: String::new(),
    private_ip: std::net::Ipv4Addr::UNSPECIFIED,
    private_dns_name: String::new(),
    availability_zone: String::new(),
    instance_profile_arn: None,
    instance_profile_id: None,
    tags: Vec::new(),
};

/// The instances of this account in this region. Only the main account has any.
pub(super) fn of_account<'s>(state: &'s State, account: AccountRef, region: &str) -> Vec<(&'s Ec2Instance, Timestamp)> {
    state
        .instances
        .iter()
        .filter(|(instance, _)| account == state.main() && instance.region() == region)
        .map(|(instance, since)| (instance, *since))
        .collect()
}

/// The ARN and the unique id of an instance's profile. The id is what IAM says if nobody said it.
pub(super) fn profile(state: &State, account: AccountRef, instance: &Ec2Instance) -> Option<(String, String)> {
    let arn = instance.instance_profile_arn.clone()?;
    let known = || {
        let profile = state[account].profiles.values().find(|profile| profile.arn == arn)?;
        Some(profile.id.clone())
    };
    let id = instance.instance_profile_id.clone().or_else(known).unwrap_or_default();
    Some((arn, id))
}

fn check_ids(ids: &[&str], own: &[(&Ec2Instance, Timestamp)]) -> Result<(), Refusal> {
    let absent: Vec<&str> = ids
        .iter()
        .copied()
        .filter(|id| !own.iter().any(|(instance, _)| instance.instance_id == *id))
        .collect();
    if let Some(odd) = absent.iter().find(|id| !is_id(id)) {
        return Err(Refusal::new(
            400,
            "InvalidInstanceID.Malformed",
            format!("Invalid id: \"{odd}\""),
        ));
    }
    match absent.as_slice() {
        [] => Ok(()),
        [one] => Err(Refusal::new(
            400,
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{one}' does not exist"),
        )),
        several => Err(Refusal::new(
            400,
            "InvalidInstanceID.NotFound",
            format!("The instance IDs '{}' do not exist", several.join(", ")),
        )),
    }
}

/// `i-` and eight or seventeen hexadecimal digits.
fn is_id(id: &str) -> bool {
    id.strip_prefix("i-").is_some_and(|digits| {
        [8, 17].contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// What a filter of this name looks at; none if there is no such filter here.
fn texts<'i>(instance: &'i Ec2Instance, filter: &str) -> Option<Vec<Cow<'i, str>>> {
    if let Some(key) = filter.strip_prefix("tag:") {
        let values = instance.tags.iter().filter(|(k, _)| k == key);
        return Some(values.map(|(_, value)| value.into()).collect());
    }
    Some(match filter {
        "instance-id" => vec![(&instance.instance_id).into()],
        "instance-type" => vec![(&instance.instance_type).into()],
        "image-id" => vec![(&instance.ami_id).into()],
        "availability-zone" => vec![(&instance.availability_zone).into()],
        "private-dns-name" => vec![(&instance.private_dns_name).into()],
        "private-ip-address" => vec![instance.private_ip.to_string().into()],
        "iam-instance-profile.arn" => instance.instance_profile_arn.iter().map(Into::into).collect(),
        "instance-state-name" => vec!["running".into()],
        "tag-key" => instance.tags.iter().map(|(key, _)| key.into()).collect(),
        _ => return None,
    })
}

fn write(xml: &mut Xml, state: &State, account: AccountRef, instance: &Ec2Instance, since: Timestamp) {
    // Each was started by itself.
    let reservation = instance.instance_id.replacen("i-", "r-", 1);
    xml.text("reservationId", &reservation)
        .text("ownerId", &state[account].account)
        .element("groupSet", |_| {})
        .element("instancesSet", |xml| {
            xml.element("item", |xml| write_instance(xml, state, account, instance, since));
        });
}

fn write_instance(xml: &mut Xml, state: &State, account: AccountRef, instance: &Ec2Instance, since: Timestamp) {
    xml.text("instanceId", &instance.instance_id)
        .text("imageId", &instance.ami_id)
        .element("instanceState", |xml| {
            xml.text("code", "16").text("name", "running");
        })
        .text("privateDnsName", &instance.private_dns_name)
        .text("dnsName", "")
        .text("amiLaunchIndex", "0")
        .text("instanceType", &instance.instance_type)
        .text("launchTime", &iso8601_millis(since))
        .element("placement", |xml| {
            xml.text("availabilityZone", &instance.availability_zone)
                .text("tenancy", "default");
        })
        .text("privateIpAddress", &instance.private_ip.to_string());
    if !instance.tags.is_empty() {
        xml.element("tagSet", |xml| {
            for (key, value) in &instance.tags {
                xml.element("item", |xml| {
                    xml.text("key", key).text("value", value);
                });
            }
        });
    }
    if let Some((arn, id)) = profile(state, account, instance) {
        xml.element("iamInstanceProfile", |xml| {
            xml.text("arn", &arn).text("id", &id);
        });
    }
}
