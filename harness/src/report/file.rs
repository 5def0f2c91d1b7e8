//! A report's file appears whole or not at all.

use std::{fs, io, path::Path};

use super::draft::{draft_of, try_folder};

/// The folder that a report's file is to be in.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Tries whether a report can be written, and makes its folder.
///
/// # Errors
/// It cannot, or the path is a folder.
pub(crate) fn try_file(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let folder = folder_of(path);
    if folder.ancestors().any(|part| part.is_file()) {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    fs::create_dir_all(folder)?;
    try_folder(folder)
}

/// Writes a report.
///
/// # Errors
/// The folder cannot be made or written.
pub(crate) fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("the path names no file"))?
        .to_string_lossy();
    let draft = draft_of(folder, &name);
    fs::write(&draft, text)
        .and_then(|()| fs::rename(&draft, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&draft);
        })
}
