//! The AWS secrets engine.

mod config;
mod creds;
mod iam_user;
mod name;
mod query;
mod role;
mod rotate;
mod sts;
mod xml;

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

pub(crate) use config::Root;
pub(crate) use iam_user::delete as delete_user;
use role::Role;

use crate::{
    core::Core,
    reply::{Done, Refusal, Reply},
    request::{Operation, Request},
    route::Caller,
};

/// What one mount of the engine knows.
#[derive(Default)]
pub(crate) struct Aws {
    pub(crate) root: Option<Root>,
    /// `lease` and `lease_max` of IAM users.
    pub(crate) lease: Option<(SignedDuration, SignedDuration)>,
    roles: BTreeMap<String, Role>,
    /// The users that are being made, or whose making failed, with the time from which they are to be deleted.
    pub(crate) half_made: BTreeMap<String, Timestamp>,
    /// The STS endpoint that has answered since the last configuration.
    sts: Option<query::Endpoint>,
}

/// Answers below a mount of the engine.
pub(crate) async fn handle(core: &Arc<Core>, request: &Request, mount: &str, path: &str, caller: &Caller) -> Done {
    use Operation::{Delete, List, Read, Write};
    let (head, rest) = path.split_once('/').unwrap_or((path, ""));
    match (head, rest, request.operation) {
        ("config", "root", Read) => config::read_root(core, mount),
        ("config", "root", Write) => config::write_root(core, request, mount),
        ("config", "rotate-root", Write) => rotate::rotate(core, mount).await,
        ("config", "lease", Read) => config::read_lease(core, mount),
        ("config", "lease", Write) => config::write_lease(core, request, mount),
        ("config", "root" | "rotate-root" | "lease", _) => Err(Refusal::unsupported_operation()),
        ("roles", "", List) => {
            let state = core.state();
            let roles = state.mounts.aws(mount).into_iter().flat_map(|aws| aws.roles.keys());
            Reply::keys(roles.cloned().collect())
        }
        ("roles", name, Read) if !name.is_empty() => role::read(core, mount, name),
        ("roles", name, Write) if !name.is_empty() => role::write(core, request, mount, name),
        ("roles", name, Delete) if !name.is_empty() => {
            if let Some(aws) = core.state().mounts.aws_mut(mount) {
                aws.roles.remove(name);
            }
            Ok(Reply::none())
        }
        ("creds" | "sts", name, Read | Write) if !name.is_empty() => {
            creds::issue(core, request, mount, (head, name), caller).await
        }
        ("roles", _, _) => Err(Refusal::unsupported_operation()),
        ("creds" | "sts", name, _) if !name.is_empty() => Err(Refusal::unsupported_operation()),
        _ => Err(Refusal::unsupported_path()),
    }
}
