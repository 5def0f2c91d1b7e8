//! Finding and removing what runs have left on the engine: only what carries a run's id, and whose process is gone.

use std::time::Duration;

use rolecall_clock::{monotonic, since};

use super::{
    command::Program,
    ledger,
    marks::{Marks, OWNER, RUN},
    unmake,
};
use crate::{owner::lives_since, world::WorldError};

/// A second, if the engine has nothing else to do.
const REMOVE: Duration = Duration::from_secs(120);
/// How long to wait before a container is looked at again which the engine is removing.
const AGAIN: Duration = Duration::from_millis(100);

/// Something that a run left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Left {
    /// A container, by its name.
    Container(String),
    /// A cluster of kind's, by its name.
    Cluster(String),
}

/// What runs have left whose process is gone, or one of them. Where no Docker engine answers, nothing is left there.
///
/// # Errors
/// What Docker says.
pub(crate) async fn left(of: Option<&str>) -> Result<Vec<Left>, WorldError> {
    let answers = Program::docker(["version", "--format", "{{.Server.Version}}"])
        .ask()
        .await;
    if !answers.is_ok_and(|answered| answered.exit == Some(0)) {
        return Ok(Vec::new());
    }
    let of = of.map(str::to_ascii_lowercase);
    find(|run, owner| of.as_deref().is_none_or(|of| of == run) && owner.is_some_and(|owner| !lives_since(owner, run)))
        .await
}

/// What this run has made.
///
/// # Errors
/// What Docker says.
pub(crate) async fn of_run(marks: &Marks) -> Result<Vec<Left>, WorldError> {
    find(|run, _| run == marks.run).await
}

async fn find(wanted: impl Fn(&str, Option<u32>) -> bool) -> Result<Vec<Left>, WorldError> {
    let format = format!("{{{{.Names}}}}\t{{{{.Label \"{RUN}\"}}}}\t{{{{.Label \"{OWNER}\"}}}}");
    let filter = format!("label={RUN}");
    let listed = Program::docker(["ps", "--all", "--filter", &filter, "--format", &format])
        .run()
        .await;
    let listed = listed?;
    let mut found = Vec::new();
    for line in listed.lines() {
        let mut words = line.split('\t').map(str::trim);
        let (Some(name), Some(run)) = (words.next(), words.next()) else {
            continue;
        };
        let owner = words.next().and_then(|owner| owner.parse().ok());
        if !run.is_empty() && wanted(run, owner) {
            found.push(Left::Container(name.to_owned()));
        }
    }
    let clusters = ledger::entries().await?.into_iter();
    found.extend(
        clusters
            .filter(|entry| wanted(&entry.run, entry.owner))
            .map(|entry| Left::Cluster(entry.cluster)),
    );
    found.sort();
    Ok(found)
}

/// Removes a container that somebody else may be removing as well: another sweep, or the engine, if the container was to last
/// as long as its program (`--rm`). Then it waits for that.
async fn remove_container(name: &str) -> Result<(), WorldError> {
    // An absent one is no error to `--force`.
    let remove = Program::docker(["rm", "--force", "--volumes", name]).within(REMOVE);
    let start = monotonic();
    loop {
        match remove.run().await {
            Err(error) if is_being_removed(&error) && since(start) < REMOVE => tokio::time::sleep(AGAIN).await,
            ended => return ended.map(drop),
        }
    }
}

fn is_being_removed(error: &WorldError) -> bool {
    error.to_string().contains("is already in progress")
}

// === impl Left ===

impl Left {
    /// Removes it.
    ///
    /// # Errors
    /// What Docker or kind says.
    pub(crate) async fn remove(&self) -> Result<(), WorldError> {
        match self {
            Self::Container(name) => remove_container(name).await,
            Self::Cluster(name) => unmake::delete(name).await,
        }
    }
}

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Container(name) => write!(f, "container {name}"),
            Self::Cluster(name) => write!(f, "kind cluster {name}"),
        }
    }
}
