use std::collections::BTreeMap;

use super::{
    phrase::{and, code, names, quoted},
    policy,
};
use crate::{
    Spanned, format_duration,
    model::{
        Bucket, ClusterSpec, Document, Manifest, Namespace, Pod, ProxySettings, Role, StatementList, Trust, User,
        VaultUse,
    },
};

/// What is said of a thing, one clause a fact. Nothing is said of what has its default, but see [`role`] and [`pod`].
pub(super) type Facts = Vec<String>;

/// A role, as it is from the start.
pub(super) fn role(role: &Role) -> Facts {
    let mut facts = Facts::new();
    if role.trust.is_none() {
        facts.push(policy::trust(&Trust::Node { external_id: None }));
    }
    facts.extend(role_facts(role));
    let none = |count: Option<usize>| count.is_none_or(|count| count == 0);
    if none(role.policies.as_ref().map(Vec::len)) && none(role.inline.as_ref().map(BTreeMap::len)) {
        facts.retain(|fact| fact != NO_POLICIES && fact != NO_INLINE);
        facts.push("it may do nothing".to_owned());
    }
    facts
}

const NO_POLICIES: &str = "it has no managed policies";
const NO_INLINE: &str = "it has no inline policies";

/// What is written of a role.
pub(super) fn role_facts(role: &Role) -> Facts {
    let mut facts = Facts::new();
    facts.extend(
        role.account
            .as_ref()
            .map(|account| format!("it is in the account {}", account.value)),
    );
    facts.extend(role.trust.as_ref().map(|trust| policy::trust(trust)));
    facts.extend(permissions(role.policies.as_deref(), role.inline.as_ref()));
    facts.extend(
        role.boundary
            .as_ref()
            .map(|boundary| format!("but never more than {} allows", boundary.value)),
    );
    facts.extend(
        role.max_session
            .map(|longest| format!("a session lasts at most {}", format_duration(longest))),
    );
    facts
}

pub(super) fn user(user: &User) -> Facts {
    let mut facts = permissions(user.policies.as_deref(), user.inline.as_ref());
    facts.extend(
        user.access_key
            .as_ref()
            .map(|key| format!("its access key is called {}", code(key))),
    );
    facts
}

fn permissions(policies: Option<&[Spanned<String>]>, inline: Option<&BTreeMap<String, Spanned<Document>>>) -> Facts {
    let mut facts = Facts::new();
    facts.extend(policies.map(|policies| match policies {
        [] => NO_POLICIES.to_owned(),
        [policy] => format!("it may do what {} allows", policy.value),
        policies => format!("it may do what {} allow", and(&names(policies))),
    }));
    facts.extend(inline.map(|inline| match inline.len() {
        0 => NO_INLINE.to_owned(),
        _ => {
            let one =
                |(name, document): (&String, &Spanned<Document>)| format!("{name} ({})", policy::document(document));
            format!(
                "it has the inline policy {}",
                and(&inline.iter().map(one).collect::<Vec<_>>())
            )
        }
    }));
    facts
}

pub(super) fn bucket(bucket: &Bucket) -> Facts {
    let mut facts = Facts::new();
    if !bucket.objects.is_empty() {
        let objects: Vec<String> = bucket
            .objects
            .iter()
            .map(|(key, body)| format!("{key} ({})", quoted(body)))
            .collect();
        facts.push(format!("in it {}", and(&objects)));
    }
    facts.extend(
        bucket
            .policy
            .as_ref()
            .map(|document| format!("its policy: {}", policy::document(document))),
    );
    facts
}

pub(super) fn namespace(namespace: &Namespace) -> Facts {
    let mut facts = Facts::new();
    facts.extend(namespace.allowed_roles.as_ref().map(|roles| match roles.as_slice() {
        [] => "its pods may have no role".to_owned(),
        roles => format!("its pods may have the roles {}", and(roles)),
    }));
    facts.extend(namespace.annotations.as_ref().map(annotations));
    facts
}

/// A pod, as it is from the start.
pub(super) fn pod(pod: &Pod) -> Facts {
    let node = pod.node.as_ref().map_or("node-1", |node| &node.value);
    let namespace = pod
        .namespace
        .as_ref()
        .map(|namespace| format!(" in namespace {namespace}"));
    let mut facts = vec![format!("it runs on {node}{}", namespace.unwrap_or_default())];
    if pod.role.is_none() {
        facts.push("it names no role".to_owned());
    }
    let said = Pod {
        node: None,
        namespace: None,
        ..pod.clone()
    };
    facts.extend(pod_facts(&said));
    facts
}

/// What is written of a pod.
pub(super) fn pod_facts(pod: &Pod) -> Facts {
    let mut facts = Facts::new();
    let mut say = |fact: Option<String>| facts.extend(fact);
    say(pod.node.as_ref().map(|node| format!("it runs on {}", node.value)));
    say(pod
        .namespace
        .as_ref()
        .map(|namespace| format!("it is in namespace {namespace}")));
    say(pod
        .role
        .as_ref()
        .map(|role| format!("it asks for the role {}", role.value)));
    say(pod
        .external_id
        .as_ref()
        .map(|id| format!("with the external id {}", code(id))));
    say(pod.annotations.as_ref().map(annotations));
    say(pod
        .service_account
        .as_ref()
        .map(|account| format!("its service account is {account}")));
    say(pod.host_network.map(|shared| match shared {
        true => "it shares its node's network".to_owned(),
        false => "it has a network of its own".to_owned(),
    }));
    say(pod
        .vault_role
        .as_ref()
        .map(|role| format!("its keys come from the Vault role {}", role.value)));
    say(pod
        .vault_agent
        .as_ref()
        .map(|role| format!("a credential process in it asks for the Vault role {}", role.value)));
    say(pod
        .web_identity
        .as_ref()
        .map(|role| format!("the SDKs in it assume {} with its service account's token", role.value)));
    say(pod.image.as_ref().map(|image| format!("its image is {image}")));
    say(pod.ips.as_ref().map(|ips| match ips.as_slice() {
        [] => "it has no address".to_owned(),
        ips => format!("its address is {}", and(ips)),
    }));
    say(pod
        .ip_of
        .as_ref()
        .map(|other| format!("it has the address of {}", other.value)));
    say(pod.phase.as_ref().map(|phase| format!("the API shows it as {phase}")));
    say(pod.hidden.map(|hidden| match hidden {
        true => "the API does not show it".to_owned(),
        false => "the API shows it".to_owned(),
    }));
    facts
}

fn annotations(annotations: &BTreeMap<String, String>) -> String {
    let all: Vec<String> = annotations
        .iter()
        .map(|(key, value)| code(&format!("{key}: {value}")))
        .collect();
    match all.as_slice() {
        [] => "it has no further annotations".to_owned(),
        all => format!("it is annotated {}", and(all)),
    }
}

pub(super) fn manifest(manifest: &Manifest) -> String {
    let set = manifest.set.as_ref().map(|set| {
        let all: Vec<String> = set.iter().map(|(name, value)| format!("{name} as {value}")).collect();
        match all.is_empty() {
            true => ", with nothing left to fill in".to_owned(),
            false => format!(", with {}", and(&all)),
        }
    });
    format!(
        "the manifest {}{}",
        manifest.file,
        set.unwrap_or_else(|| ", as it is".to_owned())
    )
}

pub(super) fn cluster(cluster: &ClusterSpec) -> Facts {
    let mut facts = Facts::new();
    let mut say = |fact: Option<String>| facts.extend(fact);
    say(cluster.name.as_ref().map(|name| format!("the cluster is named {name}")));
    say(cluster
        .nodes
        .as_ref()
        .map(|nodes| format!("its nodes are {}", and(nodes))));
    say(cluster
        .base
        .as_ref()
        .map(|base| format!("the nodes' and masters' roles have {base}' own policies")));
    let side = |who: &str, list: &Option<Spanned<StatementList>>| {
        let list = &list.as_ref()?.value.0;
        Some(match list.is_empty() {
            true => format!("nothing is added to {who} role"),
            false => format!("to {who} role is added: {}", policy::statements(list)),
        })
    };
    say(side("the nodes'", &cluster.node_policies));
    say(side("the masters'", &cluster.master_policies));
    say(cluster.imds.tokens_required.map(|required| match required {
        true => "the instances' metadata service wants a token with every request".to_owned(),
        false => "the instances' metadata service answers without a token too".to_owned(),
    }));
    say(cluster.imds.hop_limit.map(|hops| {
        format!(
            "its tokens travel {hops} {} at most",
            if hops == 1 { "hop" } else { "hops" }
        )
    }));
    say(cluster
        .imds
        .user_data
        .as_ref()
        .map(|data| format!("the instances' user data is {}", quoted(data))));
    facts
}

pub(super) fn proxy(proxy: &ProxySettings) -> Facts {
    let mut facts = Facts::new();
    let mut say = |fact: Option<String>| facts.extend(fact);
    say(proxy
        .default_role
        .as_ref()
        .map(|role| format!("gives {} to a pod that names no role", role.value)));
    say(proxy
        .base_role_arn
        .as_ref()
        .map(|arn| format!("puts {} before a role's name", arn.value)));
    say(proxy.namespace_restrictions.as_ref().map(|on| match on.value {
        true => "gives a pod only the roles that its namespace allows".to_owned(),
        false => "does not ask what a namespace allows".to_owned(),
    }));
    say(proxy
        .namespace_format
        .as_ref()
        .map(|format| format!("reads a namespace's patterns as {}", format.value)));
    say(proxy
        .cache_ttl
        .as_ref()
        .map(|ttl| format!("caches credentials for {}", format_duration(ttl.value))));
    say(proxy.passthrough.as_ref().map(|paths| match paths.value.as_slice() {
        [] => "passes no path on".to_owned(),
        paths => format!("passes {} on", and(paths)),
    }));
    say(proxy.require_token.as_ref().map(|on| match on.value {
        true => "wants an IMDSv2 token with every request".to_owned(),
        false => "answers without an IMDSv2 token too".to_owned(),
    }));
    say(proxy.intercept.as_ref().map(|how| match how.value.as_str() {
        "none" => "stands before nobody: pods' requests reach their node's metadata service".to_owned(),
        how => format!("is reached through {how}"),
    }));
    say(proxy.vault.as_ref().map(|vault| match &vault.value {
        VaultUse::Off => "asks no Vault".to_owned(),
        VaultUse::On { auth_role: None } => "gets the keys of a Vault role from Vault".to_owned(),
        VaultUse::On { auth_role: Some(role) } => {
            format!("gets the keys of a Vault role from Vault, logging in with the auth role {role}")
        }
    }));
    say(proxy
        .listen
        .as_ref()
        .map(|address| format!("listens on {}", address.value)));
    facts
}
