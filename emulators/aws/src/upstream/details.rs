//! What GetAccountAuthorizationDetails tells of an account, as the front keeps IAM.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, LazyLock},
};

use iam_policy::{Policy, PolicyKind};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::Element;
use crate::state::{
    Attached, Document, Group, Iam, Inline, InstanceProfile, ManagedPolicy, OidcProvider, Permissions, PolicyVersion,
    Role, Tags, User,
};

/// In place of a policy that cannot be evaluated: nobody may do anything by it, and the trace says why.
static UNREADABLE: [LazyLock<Arc<Policy>>; 3] = [
    LazyLock::new(|| deny(PolicyKind::Identity, r#""Resource":"*""#)),
    LazyLock::new(|| deny(PolicyKind::Trust, r#""Principal":"*""#)),
    LazyLock::new(|| deny(PolicyKind::Resource, r#""Principal":"*","Resource":"*""#)),
];

fn deny(kind: PolicyKind, of: &str) -> Arc<Policy> {
    let action = if kind == PolicyKind::Trust { "sts:*" } else { "*" };
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"RolecallCannotReadThisPolicy","Effect":"Deny","Action":"{action}",{of}}}]}}"#
    );
    Arc::new(Policy::parse(kind, &text).expect("a constant that is a policy"))
}

/// Reads the pages of an account's details.
pub(super) struct Reader<'a> {
    /// What was known before: what has not changed since is in force since then.
    pub(super) before: &'a Iam,
    pub(super) now: Timestamp,
    /// By unique id, in seconds; the details do not tell it.
    pub(super) max_sessions: &'a HashMap<String, u32>,
    /// By unique id; the details leave it out for users.
    pub(super) user_boundaries: &'a HashMap<String, Option<String>>,
    /// What GetOpenIDConnectProvider tells, by ARN.
    pub(super) providers: &'a HashMap<String, Element>,
    /// AWS's own policies that were read so far.
    pub(super) managed: &'a HashMap<String, ManagedPolicy>,
}

/// A policy's text: the upstream encodes some and not others.
pub(super) fn decoded(text: &str) -> String {
    if text.starts_with('%') {
        percent_decode_str(text).decode_utf8_lossy().into_owned()
    } else {
        text.to_owned()
    }
}

/// A document as it is in force, or one that denies all in place of what cannot be read.
pub(super) fn document(kind: PolicyKind, text: &str, of: &str) -> Document {
    let text = decoded(text);
    match Policy::parse(kind, &text) {
        Ok(policy) => Document {
            text: text.into(),
            policy: Arc::new(policy),
        },
        Err(error) => {
            tracing::warn!(%of, place = %error.place(), error = %error.message(), "a policy that cannot be evaluated denies everything");
            let instead = match kind {
                PolicyKind::Identity => &UNREADABLE[0],
                PolicyKind::Trust => &UNREADABLE[1],
                PolicyKind::Resource => &UNREADABLE[2],
            };
            Document {
                text: text.into(),
                policy: Arc::clone(instead),
            }
        }
    }
}

fn tags(element: &Element) -> Tags {
    let pair = |tag: &Element| Some((tag.get("Key")?.to_owned(), tag.get("Value")?.to_owned()));
    element.members("Tags").filter_map(pair).collect()
}

pub(super) fn text<'e>(element: &'e Element, name: &str) -> &'e str {
    element.get(name).unwrap_or_default()
}

fn created(element: &Element) -> Timestamp {
    text(element, "CreateDate").parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The ARN of a `PermissionsBoundary` element, which can be there and empty.
pub(super) fn boundary(element: &Element) -> Option<&str> {
    let arn = element.child("PermissionsBoundary")?.get("PermissionsBoundaryArn")?;
    Some(arn).filter(|arn| !arn.is_empty())
}

// === impl Reader ===

impl Reader<'_> {
    /// The account as these pages have it.
    pub(super) fn read(&self, pages: &[Element]) -> Iam {
        let all = |list: &'static str| {
            let lists = pages.iter().flat_map(move |page| page.all(list));
            lists.flat_map(|list| list.children.iter().filter(|child| child.name == "member"))
        };
        let mut iam = Iam::new(&self.before.account);
        iam.policies
            .extend(self.managed.iter().map(|(arn, policy)| (arn.clone(), policy.clone())));
        for element in all("Policies") {
            let policy = self.policy(element);
            iam.policies.insert(policy.arn.clone(), policy);
        }
        for element in all("RoleDetailList") {
            let role = self.role(element);
            iam.roles.insert(role.name.clone(), role);
        }
        for element in all("InstanceProfiles") {
            let profile = profile(element);
            iam.profiles.insert(profile.name.clone(), profile);
        }
        let providers = self.providers.iter();
        iam.oidc_providers = providers
            .map(|(arn, element)| (arn.clone(), provider(arn, element)))
            .collect();
        for element in all("GroupDetailList") {
            let group = self.group(element);
            iam.groups.insert(group.name.clone(), group);
        }
        for element in all("UserDetailList") {
            let user = self.user(element);
            for name in element.members("GroupList") {
                if let Some(group) = iam.groups.get_mut(&name.text) {
                    group.members.insert(user.name.clone());
                }
            }
            iam.users.insert(user.name.clone(), user);
        }
        self.close_boundaries(&mut iam);
        iam
    }

    /// A boundary that is named and not there allows nothing; left out, it would let everything through.
    fn close_boundaries(&self, iam: &mut Iam) {
        let roles = iam.roles.values().map(|role| &role.permissions);
        let users = iam.users.values().map(|user| &user.permissions);
        let named = roles
            .chain(users)
            .filter_map(|permissions| permissions.boundary.as_ref());
        let absent: Vec<String> = named
            .filter(|boundary| !iam.policies.contains_key(&boundary.arn))
            .map(|boundary| boundary.arn.clone())
            .collect();
        for arn in absent {
            let mut element = Element::default();
            element.children.push(Element {
                name: "Arn".to_owned(),
                text: arn.clone(),
                children: Vec::new(),
            });
            iam.policies.insert(arn, self.policy(&element));
        }
    }

    fn role(&self, element: &Element) -> Role {
        let name = text(element, "RoleName");
        let id = text(element, "RoleId");
        let known = self.before.roles.get(name).filter(|role| role.id == id);
        let trust = text(element, "AssumeRolePolicyDocument");
        let trust = document(PolicyKind::Trust, trust, &format!("the trust policy of role {name}"));
        let trust_since = match known {
            Some(role) if role.trust.text == trust.text => role.trust_since,
            _ => self.now,
        };
        let boundary = boundary(element);
        Role {
            name: name.to_owned(),
            path: text(element, "Path").to_owned(),
            id: id.to_owned(),
            arn: text(element, "Arn").to_owned(),
            created: created(element),
            trust,
            trust_since,
            description: element.get("Description").map(str::to_owned),
            max_session: self.max_sessions.get(id).copied().unwrap_or(3600),
            permissions: self.permissions(element, "RolePolicyList", boundary, known.map(|role| &role.permissions)),
            tags: tags(element),
        }
    }

    fn user(&self, element: &Element) -> User {
        let (name, id) = (text(element, "UserName"), text(element, "UserId"));
        let known = self.before.users.get(name).filter(|user| user.id == id);
        let told = self.user_boundaries.get(id).and_then(Option::as_deref);
        let boundary = boundary(element).or(told);
        User {
            name: name.to_owned(),
            path: text(element, "Path").to_owned(),
            id: id.to_owned(),
            arn: text(element, "Arn").to_owned(),
            created: created(element),
            permissions: self.permissions(element, "UserPolicyList", boundary, known.map(|user| &user.permissions)),
            tags: tags(element),
        }
    }

    fn group(&self, element: &Element) -> Group {
        let (name, id) = (text(element, "GroupName"), text(element, "GroupId"));
        let known = self.before.groups.get(name).filter(|group| group.id == id);
        Group {
            name: name.to_owned(),
            path: text(element, "Path").to_owned(),
            id: id.to_owned(),
            arn: text(element, "Arn").to_owned(),
            created: created(element),
            permissions: self.permissions(element, "GroupPolicyList", None, known.map(|group| &group.permissions)),
            members: BTreeSet::new(),
        }
    }

    fn permissions(
        &self,
        element: &Element,
        list: &str,
        boundary: Option<&str>,
        known: Option<&Permissions>,
    ) -> Permissions {
        let inline = element.members(list).map(|policy| {
            let name = text(policy, "PolicyName");
            let document = document(PolicyKind::Identity, text(policy, "PolicyDocument"), name);
            let before = known.and_then(|known| known.inline.get(name));
            let at = match before {
                Some(before) if before.document.text == document.text => before.at,
                _ => self.now,
            };
            (name.to_owned(), Inline { document, at })
        });
        let attached = element.members("AttachedManagedPolicies").map(|policy| {
            let arn = text(policy, "PolicyArn");
            let before = known.and_then(|known| known.attached.iter().find(|attached| attached.arn == arn));
            before.cloned().unwrap_or_else(|| Attached {
                arn: arn.to_owned(),
                at: self.now,
            })
        });
        let boundary = boundary.map(|arn| {
            let before = known.and_then(|known| known.boundary.as_ref());
            let same = before.filter(|attached| attached.arn == arn);
            same.cloned().unwrap_or_else(|| Attached {
                arn: arn.to_owned(),
                at: self.now,
            })
        });
        Permissions {
            inline: inline.collect(),
            attached: attached.collect(),
            boundary,
        }
    }

    /// A policy of the customer's own. Its name is the end of its ARN, because the upstream leaves it out.
    fn policy(&self, element: &Element) -> ManagedPolicy {
        let arn = text(element, "Arn");
        let name = arn.rsplit('/').next().unwrap_or(arn);
        let known = self.before.policies.get(arn);
        let mut versions: Vec<PolicyVersion> = Vec::new();
        let mut default = None;
        for found in element.members("PolicyVersionList") {
            let version = version(found, name);
            if text(found, "IsDefaultVersion") == "true" {
                default = Some(version);
            } else {
                versions.push(version);
            }
        }
        // Without one in force nothing is allowed by it.
        let default = default.unwrap_or_else(|| PolicyVersion {
            number: 0,
            created: self.now,
            document: document(PolicyKind::Identity, "", name),
        });
        let same = |known: &&ManagedPolicy| known.default.number == default.number;
        let default_since = known.filter(same).map_or(self.now, |known| known.default_since);
        let latest = versions.iter().map(|version| version.number).max().unwrap_or_default();
        ManagedPolicy {
            name: name.to_owned(),
            path: text(element, "Path").to_owned(),
            id: text(element, "PolicyId").to_owned(),
            arn: arn.to_owned(),
            created: created(element),
            description: element.get("Description").map(str::to_owned),
            tags: tags(element),
            latest: latest.max(default.number),
            default,
            default_since,
            others: versions,
        }
    }
}

/// A version of a policy, of the details or of GetPolicyVersion.
pub(super) fn version(element: &Element, of: &str) -> PolicyVersion {
    let id = text(element, "VersionId");
    PolicyVersion {
        number: id.strip_prefix('v').and_then(|number| number.parse().ok()).unwrap_or(1),
        created: created(element),
        document: document(PolicyKind::Identity, text(element, "Document"), of),
    }
}

fn provider(arn: &str, element: &Element) -> OidcProvider {
    let texts = |list: &str| element.members(list).map(|member| member.text.clone()).collect();
    let url = text(element, "Url");
    OidcProvider {
        arn: arn.to_owned(),
        issuer: url.strip_prefix("https://").unwrap_or(url).to_owned(),
        client_ids: texts("ClientIDList"),
        thumbprints: texts("ThumbprintList"),
        created: created(element),
        tags: tags(element),
    }
}

fn profile(element: &Element) -> InstanceProfile {
    let role = element.members("Roles").next().and_then(|role| role.get("RoleName"));
    InstanceProfile {
        name: text(element, "InstanceProfileName").to_owned(),
        path: text(element, "Path").to_owned(),
        id: text(element, "InstanceProfileId").to_owned(),
        arn: text(element, "Arn").to_owned(),
        created: created(element),
        role: role.map(str::to_owned),
        tags: tags(element),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(PolicyKind::Identity)]
    #[case(PolicyKind::Trust)]
    #[case(PolicyKind::Resource)]
    fn a_policy_that_cannot_be_read_denies_everything(#[case] kind: PolicyKind) {
        let document = document(
            kind,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Maybe"}]}"#,
            "a test",
        );
        assert!(UNREADABLE.iter().any(|deny| Arc::ptr_eq(deny, &document.policy)));
        assert_eq!(document.policy.kind(), kind);
    }

    #[test]
    fn a_document_is_decoded_where_it_is_encoded() {
        assert_eq!(decoded("%7B%22a%22%3A%22%25%22%7D"), r#"{"a":"%"}"#);
        assert_eq!(decoded(r#"{"a":"%41"}"#), r#"{"a":"%41"}"#);
    }
}
