//! `auth/kubernetes`: a service account's token for a Vault token.

mod config;
mod jwt;
mod login;
mod review;
mod role;

use std::{collections::BTreeMap, sync::Arc};

pub(crate) use config::Config;
pub(crate) use role::Role;

use crate::{
    core::Core,
    reply::{Done, Refusal, Reply},
    request::{Operation, Request},
};

/// What one mount of the method knows.
#[derive(Default)]
pub(crate) struct Kubernetes {
    pub(crate) config: Option<Config>,
    /// By name in small letters.
    pub(crate) roles: BTreeMap<String, Role>,
}

/// Answers below a mount of the method.
pub(crate) async fn handle(core: &Arc<Core>, request: &Request, mount: &str, path: &str) -> Done {
    use Operation::{Delete, List, Read, Write};
    let (head, rest) = path.split_once('/').unwrap_or((path, ""));
    match (head, rest, request.operation) {
        ("login", "", Write) => login::login(core, request, mount).await,
        ("login", "", _) => Err(Refusal::new(
            http::StatusCode::METHOD_NOT_ALLOWED,
            "unsupported operation",
        )),
        ("config", "", Read) => config::read(core, mount),
        ("config", "", Write) => config::write(core, request, mount),
        ("role", "", List) => {
            let state = core.state();
            let roles = state
                .mounts
                .kubernetes(mount)
                .into_iter()
                .flat_map(|method| method.roles.keys());
            Reply::keys(roles.cloned().collect())
        }
        ("role", name, Read) if !name.is_empty() => role::read(core, mount, name),
        ("role", name, Write) if !name.is_empty() => role::write(core, request, mount, name),
        ("role", name, Delete) if !name.is_empty() => {
            if let Some(method) = core.state().mounts.kubernetes_mut(mount) {
                method.roles.remove(&name.to_lowercase());
            }
            Ok(Reply::none())
        }
        ("config", "", _) | ("role", _, _) => Err(Refusal::unsupported_operation()),
        _ => Err(Refusal::unsupported_path()),
    }
}
