//! `given`, `apply` and the subject's settings, read from a checked tree.

use std::collections::BTreeMap;

use super::{
    read::{spanned, spanned_duration, spanned_text, spanned_texts, text, texts},
    statements, vault,
};
use crate::{
    Source, Spanned,
    model::{
        Bucket, ClusterSpec, Document, Given, ImdsSpec, Manifest, Namespace, Pod, ProxySettings, Restored, Role,
        StatementList, Trust, User,
    },
    tree::Node,
    words::{GIVEN, Key, PROXY, Shape, Structure},
};

pub(super) fn given(source: &Source, node: &Node) -> Given {
    let aws = node.entry("aws").map(|entry| &entry.value);
    let mut restored = Restored::new();
    for word in ["region", "propagation"] {
        if aws.is_some_and(|aws| aws.is_null() || aws.entry(word).is_some_and(|entry| entry.value.is_null())) {
            restored.insert(word);
        }
    }
    Given {
        accounts: node.get("accounts").map(spanned_texts).unwrap_or_default(),
        cluster: node
            .entry("cluster")
            .map(|entry| cluster(source, &entry.value))
            .unwrap_or_default(),
        region: aws.and_then(|aws| text(aws, "region")),
        propagation: aws.and_then(|aws| aws.get("propagation")?.duration()),
        roles: things(node, "roles", role),
        users: things(node, "users", user),
        buckets: things(node, "buckets", bucket),
        namespaces: things(node, "namespaces", namespace),
        pods: things(node, "pods", pod),
        manifests: node
            .get("manifests")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(manifest)
            .collect(),
        vault: node
            .entry("vault")
            .map(|entry| Spanned::new(vault::vault(&entry.value), entry.span())),
        restored,
    }
}

pub(super) fn proxy(node: &Node) -> ProxySettings {
    let boolean = |key| {
        node.get(key)
            .and_then(|node: &Node| Some(Spanned::new(node.bool()?, node.span.clone())))
    };
    ProxySettings {
        default_role: spanned_text(node, "default_role"),
        base_role_arn: spanned_text(node, "base_role_arn"),
        namespace_restrictions: boolean("namespace_restrictions"),
        namespace_format: spanned_text(node, "namespace_format"),
        cache_ttl: spanned_duration(node, "cache_ttl"),
        passthrough: node
            .get("passthrough")
            .map(|list| Spanned::new(texts(node, "passthrough"), list.span.clone())),
        require_token: boolean("require_token"),
        intercept: spanned_text(node, "intercept"),
        vault: node
            .get("vault")
            .map(|node| Spanned::new(vault::vault_use(node), node.span.clone())),
        listen: spanned_text(node, "listen"),
        restored: restored(node, &PROXY),
    }
}

/// Empties every `restored`: before the first step there is nothing to restore.
pub(super) fn forget_restored(given: &mut Given, proxy: &mut ProxySettings) {
    given.restored.clear();
    given.cluster.restored.clear();
    given.cluster.imds.restored.clear();
    given.roles.values_mut().for_each(|role| role.value.restored.clear());
    given.users.values_mut().for_each(|user| user.value.restored.clear());
    given
        .buckets
        .values_mut()
        .for_each(|bucket| bucket.value.restored.clear());
    given
        .namespaces
        .values_mut()
        .for_each(|namespace| namespace.value.restored.clear());
    given.pods.values_mut().for_each(|pod| pod.value.restored.clear());
    given.vault.iter_mut().for_each(|vault| vault.value.restored.clear());
    proxy.restored.clear();
}

/// The things of one kind by their names.
fn things<T>(node: &Node, key: &str, read: impl Fn(&Node, Restored) -> T) -> BTreeMap<String, Spanned<T>> {
    let structure = match GIVEN.word(key).map(|word| word.shape) {
        Some(Shape::Map {
            key: Key::New(_),
            value: Shape::Struct(structure),
        }) => Some(*structure),
        _ => None,
    };
    let entries = node.get(key).map(Node::entries).unwrap_or_default();
    let thing = |node: &Node| {
        read(
            node,
            structure.map(|structure| restored(node, structure)).unwrap_or_default(),
        )
    };
    entries
        .iter()
        .map(|entry| (entry.key.value.clone(), Spanned::new(thing(&entry.value), entry.span())))
        .collect()
}

/// The words written as `null`; all of them where the whole map is.
pub(super) fn restored(node: &Node, structure: &Structure) -> Restored {
    let null = |name: &&str| node.is_null() || node.entry(name).is_some_and(|entry| entry.value.is_null());
    structure.words.iter().map(|word| word.name).filter(null).collect()
}

fn structure_of(structure: &'static Structure, word: &str) -> Option<&'static Structure> {
    match structure.word(word)?.shape {
        Shape::Struct(structure) => Some(structure),
        _ => None,
    }
}

fn cluster(source: &Source, node: &Node) -> ClusterSpec {
    let policies = node.entry("additionalPolicies").map(|entry| &entry.value);
    let side = |key| {
        let node: &Node = policies?.get(key)?;
        let list = statements::parse(source, node).ok()?;
        Some(Spanned::new(StatementList(list), node.span.clone()))
    };
    let words = structure_of(&GIVEN, "cluster");
    let written = |word, node: &Node| {
        words
            .and_then(|words| structure_of(words, word))
            .map(|words| restored(node, words))
    };
    let mut restored = words.map(|words| restored(node, words)).unwrap_or_default();
    restored.retain(|word| matches!(*word, "name" | "nodes" | "base"));
    restored.extend(match (node.is_null(), policies) {
        (true, _) => written("additionalPolicies", node).unwrap_or_default(),
        (false, Some(policies)) => written("additionalPolicies", policies).unwrap_or_default(),
        (false, None) => Restored::new(),
    });
    let imds = if node.is_null() {
        Some(node)
    } else {
        node.entry("imds").map(|entry| &entry.value)
    };
    ClusterSpec {
        name: text(node, "name"),
        nodes: node.get("nodes").map(|_| texts(node, "nodes")),
        node_policies: side("node"),
        master_policies: side("master"),
        base: text(node, "base"),
        imds: imds
            .map(|node| metadata_service(node, written("imds", node).unwrap_or_default()))
            .unwrap_or_default(),
        restored,
    }
}

fn metadata_service(node: &Node, restored: Restored) -> ImdsSpec {
    ImdsSpec {
        tokens_required: text(node, "tokens").map(|tokens| tokens == "required"),
        hop_limit: node
            .get("hop_limit")
            .and_then(Node::integer)
            .and_then(|hops| u8::try_from(hops).ok()),
        user_data: text(node, "user_data"),
        restored,
    }
}

fn role(node: &Node, restored: Restored) -> Role {
    Role {
        trust: node
            .get("trust")
            .map(|node| Spanned::new(trust(node), node.span.clone())),
        policies: node.get("policies").map(spanned_texts),
        inline: node.get("inline").map(documents),
        boundary: node.get("boundary").and_then(spanned),
        max_session: node.get("max_session").and_then(Node::duration),
        account: spanned_text(node, "account"),
        restored,
    }
}

fn user(node: &Node, restored: Restored) -> User {
    User {
        policies: node.get("policies").map(spanned_texts),
        inline: node.get("inline").map(documents),
        access_key: spanned_text(node, "access_key"),
        restored,
    }
}

fn documents(node: &Node) -> BTreeMap<String, Spanned<Document>> {
    let document = |node: &Node| Spanned::new(document(node), node.span.clone());
    node.entries()
        .iter()
        .map(|entry| (entry.key.value.clone(), document(&entry.value)))
        .collect()
}

fn trust(node: &Node) -> Trust {
    match node.text() {
        Some("node") => Trust::Node { external_id: None },
        Some("ec2") => Trust::Ec2,
        Some("account") => Trust::Account,
        Some("none") => Trust::None,
        Some(text) => match text.split_once(':') {
            Some(("user", name)) => Trust::User(name.to_owned()),
            Some(("role", name)) => Trust::Role(name.to_owned()),
            Some(("service_account", account)) => {
                let (namespace, name) = account.split_once('/').unwrap_or(("default", account));
                Trust::ServiceAccount {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                }
            }
            _ => Trust::Document(document(node)),
        },
        None => match node.get("node") {
            Some(condition) => Trust::Node {
                external_id: text(condition, "external_id"),
            },
            None => Trust::Document(document(node)),
        },
    }
}

fn document(node: &Node) -> Document {
    match node.text() {
        Some(file) => Document::File(file.to_owned()),
        None => Document::Inline(node.json()),
    }
}

fn bucket(node: &Node, restored: Restored) -> Bucket {
    let objects = node.entries().iter().filter(|entry| entry.key.value != "policy");
    Bucket {
        objects: objects
            .filter_map(|entry| Some((entry.key.value.clone(), entry.value.text()?.to_owned())))
            .collect(),
        policy: node
            .get("policy")
            .map(|node| Spanned::new(document(node), node.span.clone())),
        restored,
    }
}

fn namespace(node: &Node, restored: Restored) -> Namespace {
    Namespace {
        allowed_roles: node.get("allowed_roles").map(|_| texts(node, "allowed_roles")),
        annotations: annotations(node),
        restored,
    }
}

fn pod(node: &Node, restored: Restored) -> Pod {
    Pod {
        namespace: text(node, "namespace"),
        node: spanned_text(node, "node"),
        role: spanned_text(node, "role"),
        external_id: text(node, "external_id"),
        annotations: annotations(node),
        host_network: node.get("host_network").and_then(Node::bool),
        service_account: text(node, "service_account"),
        vault_role: spanned_text(node, "vault_role"),
        vault_agent: spanned_text(node, "vault_agent"),
        web_identity: spanned_text(node, "web_identity"),
        image: text(node, "image"),
        ips: node.get("ips").map(|_| texts(node, "ips")),
        ip_of: node.get("ip").and_then(address_of),
        phase: text(node, "phase"),
        hidden: node.get("hidden").and_then(Node::bool),
        restored,
    }
}

fn address_of(node: &Node) -> Option<Spanned<String>> {
    let pod = node.text()?.strip_prefix("of:")?;
    Some(Spanned::new(pod.to_owned(), node.span.clone()))
}

fn manifest(node: &Node) -> Option<Spanned<Manifest>> {
    let set = node.get("set").map(|set| {
        let entries = set.entries().iter();
        entries
            .filter_map(|entry| Some((entry.key.value.clone(), entry.value.raw()?.to_owned())))
            .collect()
    });
    let file = node.text().map(str::to_owned).or_else(|| text(node, "file"))?;
    Some(Spanned::new(Manifest { file, set }, node.span.clone()))
}

fn annotations(node: &Node) -> Option<BTreeMap<String, String>> {
    let entries = node.get("annotations")?.entries().iter();
    Some(
        entries
            .filter_map(|entry| Some((entry.key.value.clone(), entry.value.text()?.to_owned())))
            .collect(),
    )
}
