use std::borrow::Cow;

use super::{Described, filter::all_pass, input::Input};
use crate::{
    answer::{Refusal, Xml},
    services::Call,
};

/// The commercial regions that every account may use.
const DEFAULT: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];
/// The commercial regions that an account has to opt in to first, which none here has.
const OPT_IN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

struct Region {
    name: &'static str,
    endpoint: String,
    opt_in: &'static str,
}

/// The regions that the account may use; with `AllRegions`, or by name, the others too.
pub(super) fn describe(call: &mut Call<'_>) -> Described {
    let input = Input::of(call.params, &["RegionName", "Filter", "AllRegions"])?;
    let (names, filters) = (input.list("RegionName")?, input.filters()?);
    let all = input.flag("AllRegions")? || !names.is_empty();
    Input::check(call, "ec2:DescribeRegions")?;

    if let Some(odd) = names
        .iter()
        .find(|name| !DEFAULT.contains(name) && !OPT_IN.contains(name))
    {
        return Err(Refusal::new(
            400,
            "InvalidParameterValue",
            format!("Invalid region provided: {odd}"),
        ));
    }
    let mut xml = Xml::new();
    let mut regions = Vec::new();
    for region in regions_of(DEFAULT, "opt-in-not-required").chain(regions_of(OPT_IN, "not-opted-in")) {
        let asked = all || region.opt_in != "not-opted-in";
        let named = names.is_empty() || names.contains(&region.name);
        if all_pass(&filters, |filter| region.texts(filter))? && asked && named {
            regions.push(region);
        }
    }
    xml.element("regionInfo", |xml| {
        for region in &regions {
            xml.element("item", |xml| {
                xml.text("regionName", region.name)
                    .text("regionEndpoint", &region.endpoint)
                    .text("optInStatus", region.opt_in);
            });
        }
    });
    Ok(xml)
}

fn regions_of(names: &'static [&'static str], opt_in: &'static str) -> impl Iterator<Item = Region> {
    names.iter().map(move |name| Region {
        name,
        endpoint: format!("ec2.{name}.amazonaws.com"),
        opt_in,
    })
}

// === impl Region ===

impl Region {
    fn texts(&self, filter: &str) -> Option<Vec<Cow<'_, str>>> {
        match filter {
            "region-name" => Some(vec![self.name.into()]),
            "endpoint" => Some(vec![self.endpoint.as_str().into()]),
            "opt-in-status" => Some(vec![self.opt_in.into()]),
            _ => None,
        }
    }
}
