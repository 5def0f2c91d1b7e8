//! What says that a cluster was made by a run: written before the cluster is made, and found by a `sweep` in any folder.
//!
//! kind lets nobody label the containers of its nodes, so the ledger is an empty Docker volume with the run's labels and the
//! cluster's name, beside them in the same engine.

use std::collections::BTreeMap;

use super::{
    command::Program,
    marks::{Marks, OWNER, RUN},
};
use crate::{owner::lives_since, world::WorldError};

const CLUSTER: &str = "rolecall.dev/cluster";
/// `no` until the cluster is whole.
const MADE: &str = "rolecall.dev/made";

/// One cluster of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) cluster: String,
    pub(super) run: String,
    /// The process that made or uses it.
    pub(super) owner: Option<u32>,
    /// Whether the cluster was ever whole.
    pub(super) made: bool,
}

/// Writes down that a cluster is this run's: before it is made, once it is `made`, or when it is taken over from a run that is
/// over.
///
/// # Errors
/// What Docker says.
pub(super) async fn write(cluster: &str, marks: &Marks, made: bool) -> Result<(), WorldError> {
    let name = format!(
        "rolecall-ledger-{cluster}-{}{}",
        marks.run,
        if made { "-made" } else { "" }
    );
    let mut labels: Vec<(String, String)> = marks.labels().into_iter().collect();
    labels.push((CLUSTER.to_owned(), cluster.to_owned()));
    if !made {
        labels.push((MADE.to_owned(), "no".to_owned()));
    }
    let create = labels
        .into_iter()
        .fold(Program::docker(["volume", "create"]), |create, (key, value)| {
            create.and("--label").and(format!("{key}={value}"))
        });
    create.and(&name).run().await?;
    // At no moment is there a cluster that is not written down.
    remove(cluster, Some(&name)).await
}

/// Takes a cluster out of the ledger: after it was deleted.
///
/// # Errors
/// What Docker says.
pub(super) async fn strike(cluster: &str) -> Result<(), WorldError> {
    remove(cluster, None).await
}

/// Removes what is written of a cluster, but for one volume.
async fn remove(cluster: &str, but: Option<&str>) -> Result<(), WorldError> {
    let filter = format!("label={CLUSTER}={cluster}");
    let listed = Program::docker(["volume", "ls", "--quiet", "--filter", &filter])
        .run()
        .await?;
    let old: Vec<&str> = listed
        .lines()
        .map(str::trim)
        .filter(|name| Some(*name) != but)
        .collect();
    if old.is_empty() {
        return Ok(());
    }
    old.into_iter()
        .fold(Program::docker(["volume", "rm", "--force"]), Program::and)
        .run()
        .await
        .map(drop)
}

/// All clusters that runs have made on this engine and not deleted.
///
/// # Errors
/// What Docker says.
pub(super) async fn entries() -> Result<Vec<Entry>, WorldError> {
    let labels = [CLUSTER, RUN, OWNER, MADE].map(|label| format!("{{{{.Label \"{label}\"}}}}"));
    let format = labels.join("\t");
    let filter = format!("label={CLUSTER}");
    let listed = Program::docker(["volume", "ls", "--filter", &filter, "--format", &format])
        .run()
        .await?;
    Ok(by_cluster(listed.lines().filter_map(entry)))
}

/// One entry for each cluster: of a run that lives, if there is one, for a cluster may be written down twice as it changes hands.
fn by_cluster(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut all: BTreeMap<String, Entry> = BTreeMap::new();
    for mut entry in entries {
        if let Some(other) = all.get(&entry.cluster) {
            let made = entry.made || other.made;
            if other.owner.is_some_and(|owner| lives_since(owner, &other.run)) {
                entry = other.clone();
            }
            entry.made = made;
        }
        all.insert(entry.cluster.clone(), entry);
    }
    all.into_values().collect()
}

fn entry(line: &str) -> Option<Entry> {
    let mut words = line.split('\t');
    let (cluster, run) = (words.next()?.trim(), words.next()?.trim());
    // Whatever carries no run id is none of ours.
    (!cluster.is_empty() && !run.is_empty()).then(|| Entry {
        cluster: cluster.to_owned(),
        run: run.to_owned(),
        owner: words.next().and_then(|owner| owner.trim().parse().ok()),
        made: words.next().is_none_or(|made| made.trim() != "no"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_changes_hands_is_the_living_runs_and_was_made_if_one_of_them_says_so() {
        let living = std::process::id();
        for lines in [
            ["c\told\t4294967295\t".to_owned(), format!("c\tnew\t{living}\tno")],
            [format!("c\tnew\t{living}\tno"), "c\told\t4294967295\t".to_owned()],
        ] {
            let all = by_cluster(lines.iter().filter_map(|line| entry(line)));
            let [only] = all.as_slice() else {
                panic!("one cluster: {all:?}");
            };
            assert_eq!((only.run.as_str(), only.made), ("new", true));
        }
    }

    #[test]
    fn a_volume_without_a_run_is_none_of_ours() {
        assert_eq!(entry("some\t\t12"), None);
        let ours = entry("c\tr\t12\t").expect("an entry");
        assert_eq!(
            (ours.cluster.as_str(), ours.run.as_str(), ours.owner, ours.made),
            ("c", "r", Some(12), true)
        );
        assert!(!entry("c\tr\t12\tno").expect("an entry").made);
    }
}
