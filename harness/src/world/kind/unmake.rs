//! Deleting a cluster, made or half made.

use std::time::Duration;

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use rolecall_clock::{monotonic, since};

use super::{command::Program, ledger, scratch};
use crate::world::WorldError;

/// Deletes a cluster and strikes it out of the ledger.
///
/// # Errors
/// What kind or Docker says.
pub(super) async fn delete(name: &str) -> Result<(), WorldError> {
    // A kind whose parent was killed goes on making the cluster.
    end_making(name).await;
    // Where kind was ended while it made the cluster, the engine may still make a node that it was asked for.
    let mut quiet = 0;
    for _ in 0..DELETIONS {
        let filter = format!("label=io.x-k8s.kind.cluster={name}");
        let nodes = Program::docker(["ps", "--all", "--quiet", "--filter", &filter])
            .run()
            .await?;
        quiet = if nodes.trim().is_empty() { quiet + 1 } else { 0 };
        if quiet == QUIET {
            scratch::remove(name);
            return ledger::strike(name).await;
        }
        if quiet == 0 {
            delete_once(name).await?;
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(WorldError::new(format!(
        "nodes of the cluster {name} come back as they are deleted: something makes it anew"
    )))
}

/// Ends every `kind create cluster` and `kind load` of this name that still runs, and returns when nothing is on its way to the engine.
///
/// Each `docker run` of kind's is let come to its end: the engine goes on making what it was asked for when the asker is killed,
/// and shows the container some time later, where nobody would look any more.
async fn end_making(name: &str) {
    for (id, words) in processes() {
        // It may have ended by itself; then there is nobody to signal.
        if makes(&words, name) {
            let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
        } else if loads(&words, name) {
            // It leads its group; with it goes what writes an image to the disk.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
    let start = monotonic();
    let works = |words: &[u8]| makes_node(words, name) || loads(words, name);
    while since(start) < MAKING && processes().any(|(_, words)| works(&words)) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How long a `docker run` of kind's may take.
const MAKING: Duration = Duration::from_secs(60);

/// This machine's processes and their words, each with a zero behind it.
fn processes() -> impl Iterator<Item = (i32, Vec<u8>)> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        Some((id, std::fs::read(process.path().join("cmdline")).ok()?))
    })
}

/// Whether a process's words make a cluster of this name.
fn makes(words: &[u8], name: &str) -> bool {
    let words = Words::of(words);
    words.program == b"kind"
        && words
            .rest
            .starts_with(&[b"create", b"cluster", b"--name", name.as_bytes()])
}

/// Whether a process's words load images into a cluster of this name.
fn loads(words: &[u8], name: &str) -> bool {
    let words = Words::of(words);
    let is_named = words.rest.windows(2).any(|pair| pair == [b"--name", name.as_bytes()]);
    words.program == b"kind" && words.rest.first() == Some(&&b"load"[..]) && is_named
}

/// Whether a process's words make a node of a cluster of this name, as kind has them.
fn makes_node(words: &[u8], name: &str) -> bool {
    let (words, label) = (Words::of(words), format!("io.x-k8s.kind.cluster={name}"));
    words.program == b"docker" && words.rest.first() == Some(&&b"run"[..]) && words.rest.contains(&label.as_bytes())
}

/// A process's program, without its folder, and its further words.
struct Words<'a> {
    program: &'a [u8],
    rest: Vec<&'a [u8]>,
}

impl<'a> Words<'a> {
    fn of(words: &'a [u8]) -> Self {
        let mut words = words.split(|byte| *byte == 0);
        let program = words.next().unwrap_or_default();
        Self {
            program: program.rsplit(|byte| *byte == b'/').next().unwrap_or_default(),
            rest: words.collect(),
        }
    }
}

/// Two seconds on an idle machine.
const DELETE: Duration = Duration::from_secs(300);
/// How often a cluster that comes back is deleted.
const DELETIONS: u32 = 30;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(300);
/// In how many looks in a row nothing may be there.
const QUIET: u32 = 5;

async fn delete_once(name: &str) -> Result<(), WorldError> {
    let deleted = Program::kind(["delete", "cluster", "--name", name, "--kubeconfig"])
        .and(scratch::kubeconfig(name)?.display().to_string())
        .within(DELETE)
        .run()
        .await;
    deleted.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_makes_a_cluster_of_that_very_name_is_found() {
        let words =
            |name: &str| format!("/usr/local/bin/kind\0create\0cluster\0--name\0{name}\0--image\0i\0").into_bytes();
        assert!(makes(&words("rolecall-1"), "rolecall-1"));
        assert!(!makes(&words("rolecall-12"), "rolecall-1"));
        assert!(!makes(b"grep\0create\0cluster\0--name\0rolecall-1\0", "rolecall-1"));
        let load = |name: &str| format!("kind\0load\0docker-image\0i\0--name\0{name}\0--nodes\0n\0").into_bytes();
        assert!(loads(&load("rolecall-1"), "rolecall-1"));
        assert!(!loads(&load("rolecall-12"), "rolecall-1"));
        let run = |name: &str| {
            format!("docker\0run\0--name\0n\0--label\0io.x-k8s.kind.cluster={name}\0kindest/node\0").into_bytes()
        };
        assert!(makes_node(&run("rolecall-1"), "rolecall-1"));
        assert!(!makes_node(&run("rolecall-12"), "rolecall-1"));
    }
}
