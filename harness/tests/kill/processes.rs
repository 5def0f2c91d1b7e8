//! What /proc tells of processes, threads and their network namespaces. Whatever ends while it is looked at is gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
};

/// Every process below this one.
pub(crate) fn descendants(of: u32) -> BTreeSet<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for id in numbers(Path::new("/proc")) {
        // After the name in brackets: state, parent (proc_pid_stat(5)).
        let parent = stat(id).and_then(|fields| fields.get(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(id);
        }
    }
    let (mut found, mut next) = (BTreeSet::new(), vec![of]);
    while let Some(parent) = next.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            found.insert(child);
            next.push(child);
        }
    }
    found
}

/// Whether the process still runs. One that waits to be reaped does not, nor does an init that has ended but for the
/// reaping of its namespace's dead, which is up to the system's own init.
pub(crate) fn alive(id: u32) -> bool {
    const EXITING: u32 = 4;
    let Some(fields) = stat(id) else { return false };
    let exiting = fields
        .get(6)
        .and_then(|flags| flags.parse::<u32>().ok())
        .is_some_and(|flags| flags & EXITING != 0);
    !exiting && !matches!(fields.first().map(String::as_str), None | Some("Z" | "X"))
}

/// The words that a process was started with.
pub(crate) fn words_of(id: u32) -> Vec<String> {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The network namespaces of a process' threads, by inode, but for this test's own.
pub(crate) fn networks_of(id: u32) -> BTreeSet<u64> {
    let mut networks: BTreeSet<_> = threads(id).into_iter().filter_map(|(_, network)| network).collect();
    if let Some(own) = network(Path::new("/proc/self")) {
        networks.remove(&own);
    }
    networks
}

/// Every process and thread of this machine that is in one of these network namespaces.
pub(crate) fn who_is_in(networks: &BTreeSet<u64>) -> Vec<(u32, u32)> {
    let mut inside = Vec::new();
    for id in numbers(Path::new("/proc")) {
        for (thread, network) in threads(id) {
            if network.is_some_and(|network| networks.contains(&network)) {
                inside.push((id, thread));
            }
        }
    }
    inside
}

fn threads(id: u32) -> Vec<(u32, Option<u64>)> {
    let tasks = format!("/proc/{id}/task");
    let tasks = Path::new(&tasks);
    numbers(tasks)
        .into_iter()
        .map(|thread| (thread, network(&tasks.join(thread.to_string()))))
        .collect()
}

fn network(task: &Path) -> Option<u64> {
    Some(fs::metadata(task.join("ns/net")).ok()?.ino())
}

fn numbers(folder: &Path) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// The fields of a process' stat after its name.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}
