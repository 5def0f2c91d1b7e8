//! `decisions.json` in the folder of a failed scenario: what `rolecall why` reads.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rolecall_aws::DecisionRecord;

/// The name of the file.
pub(crate) const DECISIONS: &str = "decisions.json";

/// A decision, and the file that it was found in.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) decided: DecisionRecord,
    pub(crate) file: PathBuf,
}

/// The text of the file: a JSON array, one decision a line.
pub(crate) fn decisions_json(decided: &[DecisionRecord]) -> String {
    // A record holds texts and numbers alone, which JSON can always say.
    let lines = decided.iter().filter_map(|decided| serde_json::to_string(decided).ok());
    format!("[\n{}\n]\n", lines.collect::<Vec<_>>().join(",\n"))
}

/// Reads the decisions of a run's folder and of all folders below it, in the order of the files' names.
///
/// # Errors
/// A file of that name cannot be read, or is none of ours.
pub(crate) fn kept_decisions(run: &Path) -> io::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for file in files_below(run) {
        let named = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", file.display()));
        let text = fs::read_to_string(&file).map_err(|error| named(&error))?;
        let decided: Vec<DecisionRecord> = serde_json::from_str(&text).map_err(|error| named(&error))?;
        kept.extend(decided.into_iter().map(|decided| Kept {
            decided,
            file: file.clone(),
        }));
    }
    Ok(kept)
}

/// The folders of runs in an output folder, the newest first.
pub(crate) fn runs(output: &Path) -> Vec<PathBuf> {
    let mut runs: Vec<(SystemTime, PathBuf)> = fs::read_dir(output)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.metadata().ok().filter(fs::Metadata::is_dir)?.modified().ok()?,
                entry.path(),
            ))
        })
        .collect();
    runs.sort_by(|one, other| other.cmp(one));
    runs.into_iter().map(|(_, path)| path).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        // What is a link leads elsewhere, or in circles.
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => files.extend(files_below(&path)),
            Ok(about) if about.is_file() && path.file_name().is_some_and(|name| name == DECISIONS) => files.push(path),
            _ => {}
        }
    }
    files
}
