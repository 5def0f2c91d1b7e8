//! Files that are there only while a run writes: their names tell whose they are, so that what a killed run left can be
//! found again.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process,
};

/// Ends the name of everything that is there only for a while.
const DRAFT: &str = ".rolecall-draft";
/// Begins the name of the marker in a run's folder.
const MARKER: &str = ".run.";

/// `.<name>.<pid>.rolecall-draft`, beside the file that it becomes.
pub(crate) fn draft_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.{}{DRAFT}", process::id()))
}

/// What marks the folder of a run that is not over.
pub(crate) fn marker_name() -> String {
    format!("{MARKER}{}{DRAFT}", process::id())
}

/// Whose draft a file is by its name: the process id.
pub(crate) fn owner_of(name: &OsStr) -> Option<u32> {
    let stem = name.to_str()?.strip_prefix('.')?.strip_suffix(DRAFT)?;
    stem.rsplit_once('.')?.1.parse().ok()
}

/// Whether the name is a run folder's marker.
pub(crate) fn is_marker(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(MARKER)) && owner_of(name).is_some()
}

/// Tries whether files can be made in a folder, or the folder itself where it is not there yet. Nothing stays.
///
/// # Errors
/// What the system says.
pub(crate) fn try_folder(folder: &Path) -> io::Result<()> {
    let there = folder
        .ancestors()
        .map(|path| {
            if path.as_os_str().is_empty() {
                Path::new(".")
            } else {
                path
            }
        })
        .find(|path| path.exists())
        .unwrap_or(Path::new("."));
    let tried = draft_of(there, "try");
    // A folder, not a file: where the output folder is absent a folder is what will be made.
    fs::create_dir(&tried)?;
    fs::remove_dir(&tried)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(".report.json.41.rolecall-draft", Some(41))]
    #[case(".run.41.rolecall-draft", Some(41))]
    #[case(".report.json.41", None)]
    #[case("report.json.41.rolecall-draft", None)]
    #[case(".report.json.x.rolecall-draft", None)]
    #[case(".rolecall-draft", None)]
    fn a_draft_is_known_by_its_name(#[case] name: &str, #[case] owner: Option<u32>) {
        assert_eq!(owner_of(OsStr::new(name)), owner);
    }

    #[test]
    fn a_folder_below_a_file_cannot_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "").expect("a file");
        assert!(try_folder(&folder.path().join("file/below")).is_err());
        assert!(try_folder(&folder.path().join("below/deep")).is_ok());
        assert_eq!(
            fs::read_dir(folder.path()).expect("the folder").count(),
            1,
            "nothing stays"
        );
    }
}
