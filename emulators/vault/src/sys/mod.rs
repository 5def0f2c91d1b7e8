//! `sys/`, and the two things that go with it: wrapping and cubbyholes.

mod capabilities;
mod health;
mod leases;
mod mounts;
mod policies;
mod seal;
mod wrapping;

use std::sync::Arc;

pub(crate) use seal::Seal;
pub(crate) use wrapping::{cubbyhole, own_wrapping_token};

use crate::{
    core::Core,
    reply::{Done, Refusal, Reply},
    request::{Operation, Request},
    route::Caller,
};

/// Paths that a policy must give `sudo` on as well (with what is below, for those that end with `/`).
const SUDO: [&str; 5] = [
    "sys/auth/",
    "sys/leases/revoke-prefix/",
    "sys/leases/revoke-force/",
    "sys/revoke-prefix/",
    "sys/revoke-force/",
];

/// Whether `sudo` is wanted.
pub(crate) fn wants_sudo(path: &str, operation: Operation) -> bool {
    let listed = path.strip_suffix('/').unwrap_or(path);
    SUDO.iter()
        .any(|prefix| path.starts_with(prefix) && listed.len() >= prefix.len())
        || matches!(
            path,
            "sys/seal" | "auth/token/revoke-orphan" | "auth/token/create-orphan"
        )
        || (listed == "auth/token/accessors" && operation == Operation::List)
        || (path.starts_with("sys/leases/lookup/") && operation == Operation::List)
}

/// Answers below `sys/`.
pub(crate) async fn handle(core: &Arc<Core>, request: &Request, path: &str, caller: &Caller) -> Done {
    let (head, rest) = path.split_once('/').unwrap_or((path, ""));
    let done = match (head, rest) {
        ("mounts" | "auth", _) => mounts::handle(core, request, head, rest).await,
        ("policies", _) => match rest.strip_prefix("acl") {
            Some("") => policies::handle(core, request, "", true),
            Some(name) if name.starts_with('/') => policies::handle(core, request, &name[1..], true),
            _ => Err(Refusal::unsupported_path()),
        },
        ("policy", name) => policies::handle(core, request, name, false),
        ("capabilities" | "capabilities-self" | "capabilities-accessor", "") => {
            capabilities::handle(core, request, head, caller)
        }
        ("leases", _) => leases::handle(core, request, rest).await,
        ("renew" | "revoke", "") => leases::handle(core, request, head).await,
        ("revoke-prefix" | "revoke-force", _) => leases::handle(core, request, path).await,
        ("wrapping", _) => wrapping::handle(core, request, rest, caller),
        ("seal", "") => seal::seal(core, request),
        ("internal", "ui/resultant-acl") => capabilities::resultant(core, caller),
        _ => Err(Refusal::unsupported_path()),
    };
    let doubled = matches!(head, "mounts" | "auth" | "policy") || head.starts_with("capabilities");
    done.map(|reply| Reply { doubled, ..reply })
}
