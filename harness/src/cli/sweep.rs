//! `rolecall sweep`: what killed runs left. Networks, processes and mounts of the embedded world went with them; files stay,
//! and containers and clusters of the kind world.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{args::SweepArgs, main::complain};
use crate::{
    owner::lives,
    report::{ExitStatus, is_marker, owner_of},
    world::kind,
};

/// Removes the folders of runs that did not end and reports half written, where the process they belong to is gone.
pub(crate) fn sweep(args: &SweepArgs) -> ExitStatus {
    let output = args.output.folder();
    let mut left = BTreeSet::new();
    for run in folders_in(&output) {
        let wanted = args
            .run
            .as_ref()
            .is_none_or(|name| run.file_name().is_some_and(|folder| folder == name.as_str()));
        let dead = |names: Vec<PathBuf>| names.iter().any(|path| is_left(path, true));
        if wanted && dead(entries_of(&run)) {
            left.insert(run);
        }
    }
    let folders = match args.folders.as_slice() {
        [] => &[PathBuf::from(".")],
        folders => folders,
    };
    for folder in folders.iter().chain([&output]) {
        if args.folders.contains(folder) && !folder.is_dir() {
            complain(format_args!("{} is no folder", folder.display()));
            return ExitStatus::Usage;
        }
        // A report's draft has no run's name.
        if args.run.is_none() {
            left.extend(entries_of(folder).into_iter().filter(|path| is_left(path, false)));
        }
    }
    let mut status = ExitStatus::AsExpected;
    for path in &left {
        let shown = path.strip_prefix("./").unwrap_or(path).display();
        if args.dry_run {
            anstream::println!("would remove {shown}");
            continue;
        }
        match remove(path) {
            Ok(()) => anstream::println!("removed {shown}"),
            Err(error) => {
                complain(format_args!("cannot remove {shown}: {error}"));
                status = ExitStatus::HarnessError;
            }
        }
    }
    let engine = match sweep_engine(args) {
        Ok(count) => count,
        Err(()) => {
            status = ExitStatus::HarnessError;
            1
        }
    };
    if left.is_empty() && engine == 0 {
        match &args.run {
            Some(run) => anstream::println!("nothing is left of run {run}"),
            None => anstream::println!("nothing is left of killed runs"),
        }
    }
    status
}

/// Removes the containers and clusters of runs whose process is gone, where a Docker engine answers; how many they were.
fn sweep_engine(args: &SweepArgs) -> Result<usize, ()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(complain)?;
    runtime.block_on(async {
        let (mut count, mut quiet) = (0, 0);
        loop {
            let left = kind::left(args.run.as_deref()).await.map_err(complain)?;
            count += left.len();
            quiet = if left.is_empty() { quiet + 1 } else { 0 };
            let mut failed = false;
            for left in left {
                if args.dry_run {
                    anstream::println!("would remove {left}");
                    continue;
                }
                match left.remove().await {
                    Ok(()) => anstream::println!("removed {left}"),
                    Err(error) => {
                        complain(format_args!("cannot remove {left}: {error}"));
                        failed = true;
                    }
                }
            }
            match failed {
                true => return Err(()),
                // Where nothing was, no run was killed just now.
                false if args.dry_run || quiet == QUIET || count == 0 && args.run.is_none() => return Ok(count),
                // The engine may still make what a run had asked for when it was killed.
                false => tokio::time::sleep(LOOK).await,
            }
        }
    })
}

/// Between two looks.
const LOOK: Duration = Duration::from_millis(300);
/// In how many looks in a row nothing may be there.
const QUIET: u32 = 5;

/// Whether a path is a draft (or, if asked, a run's marker) of a process that is gone. A number that the system has
/// given to another process since counts as alive: that file is found by a later sweep.
fn is_left(path: &Path, marker: bool) -> bool {
    let Some(name) = path.file_name() else { return false };
    is_marker(name) == marker && owner_of(name).is_some_and(|owner| !lives(owner))
}

fn entries_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let is_folder = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|kind| kind.is_dir());
    entries_of(folder).into_iter().filter(is_folder).collect()
}

fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}
