//! Whether this machine can bring the kind world up, found out by asking.

use super::{
    cluster,
    command::Program,
    inotify,
    options::{LOCALSTACK_IMAGE, NODE_IMAGE, VAULT_IMAGE},
};

/// One thing that was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) what: &'static str,
    pub(crate) ok: bool,
    /// Whether nothing runs without it.
    pub(crate) needed: bool,
    /// What was found, or what is wrong.
    pub(crate) found: String,
    /// What to do where it is not ok.
    pub(crate) remedy: Option<String>,
}

/// What a node and its images take, with a margin.
const FREE_KIB: u64 = 4 * 1024 * 1024;

/// Asks Docker, kind and the disk.
pub(crate) async fn examine() -> Vec<Finding> {
    let mut all = vec![engine().await, tool().await];
    if all.first().is_some_and(|engine| engine.ok) {
        all.push(image("the node image", NODE_IMAGE).await);
        all.push(image("the LocalStack image", LOCALSTACK_IMAGE).await);
        all.push(image("the Vault image", VAULT_IMAGE).await);
        all.extend(disk().await);
        all.extend(watches());
    }
    all
}

fn finding(what: &'static str, found: Result<String, String>, remedy: &str) -> Finding {
    let ok = found.is_ok();
    Finding {
        what,
        ok,
        needed: true,
        found: found.unwrap_or_else(|error| error),
        remedy: (!ok).then(|| remedy.to_owned()),
    }
}

pub(super) async fn engine() -> Finding {
    let asked = Program::docker([
        "version",
        "--format",
        "{{.Server.Version}} ({{.Server.Os}}/{{.Server.Arch}})",
    ])
    .run()
    .await;
    let found = asked
        .map(|version| version.trim().to_owned())
        .map_err(|error| error.to_string());
    finding(
        "Docker",
        found,
        "install and start a Docker engine (https://docs.docker.com/engine/install), or say where one is in DOCKER_HOST",
    )
}

pub(super) async fn tool() -> Finding {
    let found = cluster::version().await;
    let found = found
        .map(|version| format!("v{version}"))
        .map_err(|error| error.to_string());
    finding(
        "kind",
        found,
        "install kind (https://kind.sigs.k8s.io/docs/user/quick-start)",
    )
}

async fn image(what: &'static str, name: &str) -> Finding {
    let asked = Program::docker(["image", "inspect", "--format", "{{.Id}}", name])
        .ask()
        .await;
    let here = asked.is_ok_and(|asked| asked.exit == Some(0));
    Finding {
        what,
        ok: here,
        // A run pulls what is not here.
        needed: false,
        found: if here {
            name.to_owned()
        } else {
            format!("{name} is not here")
        },
        remedy: (!here).then(|| format!("a run pulls it; without a registry, `docker load` it: docker pull {name}")),
    }
}

/// Whether the nodes of one cluster more can watch their files, where this host has the engine.
fn watches() -> Option<Finding> {
    let (ok, found) = inotify::enough()?;
    Some(Finding {
        what: "inotify",
        ok,
        // A kept cluster has what it takes.
        needed: false,
        found,
        remedy: (!ok).then(|| inotify::REMEDY.to_owned()),
    })
}

/// Room for the nodes, where this host has the engine's folder.
async fn disk() -> Option<Finding> {
    let root = Program::docker(["info", "--format", "{{.DockerRootDir}}"])
        .run()
        .await
        .ok()?;
    let stat = nix::sys::statvfs::statvfs(root.trim()).ok()?;
    let free = stat.blocks_available().saturating_mul(stat.fragment_size()) / 1024;
    let told = format!("{:.1} GiB are free in {}", free as f64 / 1024.0 / 1024.0, root.trim());
    let found = if free < FREE_KIB { Err(told) } else { Ok(told) };
    Some(finding(
        "the disk",
        found,
        "free at least 4 GiB: `docker system prune` frees what no container uses",
    ))
}
