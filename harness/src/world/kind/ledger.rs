//! What says that a cluster was made by a run: written before the cluster is made, and found by a `sweep` in any folder.
//!
//! kind lets nobody label the containers of its nodes, so the ledger is an empty Docker volume with the run's labels and the
//! cluster's name, beside them in the same engine.

use super::{
    command::Program,
    marks::{Marks, OWNER, RUN},
};
use crate::world::WorldError;

const CLUSTER: &str = "rolecall.dev/cluster";

/// One cluster of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) cluster: String,
    pub(super) run: String,
    /// The process that made or uses it.
    pub(super) owner: Option<u32>,
}

fn volume(cluster: &str) -> String {
    format!("rolecall-ledger-{cluster}")
}

/// Writes down that a cluster is this run's: before it is made, or when it is taken over from a run that is over.
///
/// # Errors
/// What Docker says.
pub(super) async fn write(cluster: &str, marks: &Marks) -> Result<(), WorldError> {
    strike(cluster).await?;
    let mut arguments = vec!["volume".to_owned(), "create".to_owned()];
    for (key, value) in marks.labels() {
        arguments.extend(["--label".to_owned(), format!("{key}={value}")]);
    }
    arguments.extend(["--label".to_owned(), format!("{CLUSTER}={cluster}"), volume(cluster)]);
    Program::docker(arguments).run().await.map(drop)
}

/// Takes a cluster out of the ledger: after it was deleted.
///
/// # Errors
/// What Docker says.
pub(super) async fn strike(cluster: &str) -> Result<(), WorldError> {
    Program::docker(["volume", "rm", "--force", &volume(cluster)])
        .run()
        .await
        .map(drop)
}

/// All clusters that runs have made on this engine and not deleted.
///
/// # Errors
/// What Docker says.
pub(super) async fn entries() -> Result<Vec<Entry>, WorldError> {
    let format = format!("{{{{.Label \"{CLUSTER}\"}}}}\t{{{{.Label \"{RUN}\"}}}}\t{{{{.Label \"{OWNER}\"}}}}");
    let filter = format!("label={CLUSTER}");
    let listed = Program::docker(["volume", "ls", "--filter", &filter, "--format", &format])
        .run()
        .await?;
    Ok(listed.lines().filter_map(entry).collect())
}

fn entry(line: &str) -> Option<Entry> {
    let mut words = line.split('\t');
    let (cluster, run) = (words.next()?.trim(), words.next()?.trim());
    // Whatever carries no run id is none of ours.
    (!cluster.is_empty() && !run.is_empty()).then(|| Entry {
        cluster: cluster.to_owned(),
        run: run.to_owned(),
        owner: words.next().and_then(|owner| owner.trim().parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_without_a_run_is_none_of_ours() {
        assert_eq!(entry("some\t\t12"), None);
        let ours = entry("c\tr\t12").expect("an entry");
        assert_eq!(
            (ours.cluster.as_str(), ours.run.as_str(), ours.owner),
            ("c", "r", Some(12))
        );
    }
}
