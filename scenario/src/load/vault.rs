//! Vault's words, read from a checked tree.

use std::collections::BTreeMap;

use serde_json::Value;

use super::read::{spanned, spanned_text, text};
use crate::{
    Spanned,
    model::{Restored, Vault, VaultUse},
    tree::Node,
};

pub(super) fn vault(node: &Node) -> Vault {
    let part = |word| node.entry(word).map(|entry| &entry.value);
    let aws = part("aws");
    let lease = aws.and_then(|aws| aws.entry("lease").map(|entry| &entry.value));
    let null = |word: &'static str, of: Option<&Node>| {
        let whole = node.is_null() || of.is_some_and(Node::is_null);
        let written = || {
            of.and_then(|of| of.entry(word))
                .is_some_and(|entry| entry.value.is_null())
        };
        (whole || written()).then_some(word)
    };
    let restored: Restored = [
        null("policies", Some(node)),
        null("kubernetes", Some(node)),
        null("root", aws),
        null("lease", aws),
        null("roles", aws),
    ]
    .into_iter()
    .flatten()
    .collect();
    let policies = node.get("policies").map(Node::entries).unwrap_or_default();
    Vault {
        policies: policies
            .iter()
            .filter_map(|entry| Some((entry.key.value.clone(), spanned(&entry.value)?)))
            .collect(),
        auth_roles: part("kubernetes").map(roles),
        root: aws.and_then(|aws| spanned_text(aws, "root")),
        lease: lease.and_then(|lease| lease.get("lease")?.duration()),
        lease_max: lease.and_then(|lease| lease.get("lease_max")?.duration()),
        roles: aws.map(roles).unwrap_or_default(),
        restored,
    }
}

pub(super) fn vault_use(node: &Node) -> VaultUse {
    match node.bool() {
        Some(false) => VaultUse::Off,
        Some(true) | None => VaultUse::On {
            auth_role: text(node, "auth_role"),
        },
    }
}

/// `roles:` of an auth method or a secrets engine.
fn roles(node: &Node) -> BTreeMap<String, Spanned<Value>> {
    let entries = node.get("roles").map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .map(|entry| (entry.key.value.clone(), Spanned::new(entry.value.json(), entry.span())))
        .collect()
}
