use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Credentials, Instance};

/// The versions that `/` lists. Any other date is served as well.
const VERSIONS: [&str; 29] = [
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "2011-01-01",
    "2011-05-01",
    "2012-01-12",
    "2014-02-25",
    "2014-11-05",
    "2015-10-20",
    "2016-04-19",
    "2016-06-30",
    "2016-09-02",
    "2018-03-28",
    "2018-08-17",
    "2018-09-24",
    "2019-10-01",
    "2020-10-27",
    "2021-01-03",
    "2021-03-23",
    "2021-07-15",
    "2022-09-24",
    "2024-04-11",
    "latest",
];

/// What is at a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A text, listings included.
    Text(String),
    /// The listing that is given only with a slash at the end of its path: the version it was asked under, and the text.
    SecurityCredentials(String, String),
    /// The document with the credentials of the named role.
    RoleCredentials(String),
    /// Where session tokens come from.
    Token,
}

/// A directory or a file of the metadata.
enum Node {
    Directory(Vec<(String, Node)>),
    Text(String),
    RoleCredentials(String),
}

/// What `instance` has at a folded path, if anything. `since` is when the instance was started.
pub(crate) fn find(instance: &Instance, segments: &[String], since: Timestamp) -> Option<Entry> {
    let (version, rest) = match segments {
        [] => return Some(Entry::Text(VERSIONS.join("\n"))),
        [version, rest @ ..] if is_version(version) => (version, rest),
        _ => return None,
    };
    if rest == ["api", "token"] {
        return Some(Entry::Token);
    }
    let mut node = root(instance, since);
    for segment in rest {
        let Node::Directory(children) = node else { return None };
        node = children
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(segment))?
            .1;
    }
    Some(match node {
        Node::Text(text) => Entry::Text(text),
        Node::RoleCredentials(role) => Entry::RoleCredentials(role),
        Node::Directory(children) => {
            // The three at the top are listed without a slash, as the real service does.
            let listing = listing(&children, !rest.is_empty());
            match rest {
                [.., iam, last] if iam == "iam" && last == "security-credentials" => {
                    Entry::SecurityCredentials(version.clone(), listing)
                }
                _ => Entry::Text(listing),
            }
        }
    })
}

fn is_version(segment: &str) -> bool {
    let dated = segment.len() == 10
        && segment.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    dated || segment == "latest" || segment == "1.0"
}

fn listing(children: &[(String, Node)], slashes: bool) -> String {
    let line = |(name, node): &(String, Node)| match node {
        Node::Directory(_) if slashes => format!("{name}/"),
        _ => name.clone(),
    };
    children.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn root(instance: &Instance, since: Timestamp) -> Node {
    let identity = ("document", text(identity_document(instance, since)));
    let mut top = vec![
        ("dynamic", directory([("instance-identity", directory([identity]))])),
        ("meta-data", meta_data(instance)),
    ];
    if !instance.user_data.is_empty() {
        top.push(("user-data", text(&instance.user_data)));
    }
    directory(top)
}

fn meta_data(instance: &Instance) -> Node {
    let ec2 = directory([
        (
            "info",
            text(pretty(&json!({
                "Code": "Success",
                "LastUpdated": time(instance.identity_credentials.last_updated),
                "AccountId": instance.account,
            }))),
        ),
        (
            "security-credentials",
            directory([("ec2-instance", text(document(&instance.identity_credentials)))]),
        ),
    ]);
    let placement = directory([
        ("availability-zone", text(&instance.availability_zone)),
        ("region", text(&instance.region)),
    ]);
    let services = directory([
        ("domain", text(instance.domain())),
        ("partition", text(instance.partition())),
    ]);
    let mut entries = vec![
        ("ami-id", text(&instance.ami_id)),
        ("hostname", text(&instance.hostname)),
    ];
    if let Some(role) = &instance.role {
        let credentials = Node::Directory(vec![(role.clone(), Node::RoleCredentials(role.clone()))]);
        entries.push((
            "iam",
            directory([
                ("info", text(iam_info(instance))),
                ("security-credentials", credentials),
            ]),
        ));
    }
    entries.extend([
        ("identity-credentials", directory([("ec2", ec2)])),
        ("instance-id", text(&instance.instance_id)),
        ("instance-life-cycle", text("on-demand")),
        ("instance-type", text(&instance.instance_type)),
        ("local-hostname", text(&instance.hostname)),
        ("local-ipv4", text(instance.local_ipv4.to_string())),
        ("placement", placement),
        ("services", services),
    ]);
    directory(entries)
}

fn iam_info(instance: &Instance) -> String {
    pretty(&json!({
        "Code": "Success",
        "LastUpdated": time(instance.identity_credentials.last_updated),
        "InstanceProfileArn": instance.instance_profile_arn,
        "InstanceProfileId": instance.instance_profile_id,
    }))
}

fn identity_document(instance: &Instance, since: Timestamp) -> String {
    pretty(&json!({
        "accountId": instance.account,
        "architecture": "x86_64",
        "availabilityZone": instance.availability_zone,
        "billingProducts": null,
        "devpayProductCodes": null,
        "marketplaceProductCodes": null,
        "imageId": instance.ami_id,
        "instanceId": instance.instance_id,
        "instanceType": instance.instance_type,
        "kernelId": null,
        "pendingTime": time(since),
        "privateIp": instance.local_ipv4.to_string(),
        "ramdiskId": null,
        "region": instance.region,
        "version": "2017-09-30",
    }))
}

/// The credential document: seven keys, in AWS's order.
pub(crate) fn document(credentials: &Credentials) -> String {
    pretty(&json!({
        "Code": "Success",
        "LastUpdated": time(credentials.last_updated),
        "Type": "AWS-HMAC",
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.token,
        "Expiration": time(credentials.expiration),
    }))
}

/// What is served in place of credentials where EC2 may not take the role.
pub(crate) fn refusal(message: &str, at: Timestamp) -> String {
    pretty(&json!({
        "Code": "AssumeRoleUnauthorizedAccess",
        "Message": message,
        "LastUpdated": time(at),
    }))
}

/// Whole seconds, in UTC, with a `Z`.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

fn text(text: impl Into<String>) -> Node {
    Node::Text(text.into())
}

fn directory<'a>(entries: impl IntoIterator<Item = (&'a str, Node)>) -> Node {
    Node::Directory(
        entries
            .into_iter()
            .map(|(name, node)| (name.to_owned(), node))
            .collect(),
    )
}
