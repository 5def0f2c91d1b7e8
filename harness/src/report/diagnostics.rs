//! Files of what failed: `<output>/<run>/<scenario>/`.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use serde::Serialize;

use super::draft::{marker_name, try_folder};
use crate::{secrets::mask, world::Diagnostics};

/// The order in which a person reads the files of a world; others come after these.
const READING_ORDER: [&str; 4] = ["proxy.log", "http.txt", "decisions.txt", "events.txt"];

/// The folder of one run. It is made when the first file is due, and bears a marker with the number of this process
/// until [`finish`](Self::finish), so that `rolecall sweep` knows what a killed run left half done.
#[derive(Debug)]
pub(crate) struct RunFolder {
    /// `<output>/<run>`.
    path: PathBuf,
    made: bool,
}

/// Where the files of one scenario are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DiagnosticsReport {
    /// As the report shows it: relative where the output folder was given so.
    pub(crate) folder: String,
    /// Names of the files for people, in the order in which one reads them. `rolecall why` finds the others.
    pub(crate) files: Vec<String>,
}

// === impl RunFolder ===

impl RunFolder {
    /// The folder of the run called `run` in `output`; nothing is made yet.
    ///
    /// # Errors
    /// Nothing could be written there. This is tried, because permissions alone do not tell (a read-only mount).
    pub(crate) fn new(output: &Path, run: &str) -> io::Result<Self> {
        try_folder(output)?;
        Ok(Self {
            path: output.join(run),
            made: false,
        })
    }

    /// Writes what was collected of a scenario, with secrets masked. `repeat` is given where there are several.
    ///
    /// # Errors
    /// The files cannot be written.
    pub(crate) fn keep(
        &mut self,
        id: &str,
        repeat: Option<u32>,
        diagnostics: &Diagnostics,
    ) -> io::Result<DiagnosticsReport> {
        if !self.made {
            fs::create_dir_all(&self.path)?;
            fs::write(self.path.join(marker_name()), b"")?;
            self.made = true;
        }
        let mut folder = self.path.join(below(id));
        if let Some(repeat) = repeat {
            folder.push(format!("repeat-{repeat}"));
        }
        let folder = make_new(&folder)?;
        let mut files = Vec::with_capacity(diagnostics.0.len());
        for (name, text) in &diagnostics.0 {
            fs::write(folder.join(name), mask(text))?;
            if !is_for_programs(name) {
                files.push(name.clone());
            }
        }
        let place = |name: &String| READING_ORDER.iter().position(|known| known == name);
        files.sort_by_key(|name| place(name).unwrap_or(READING_ORDER.len()));
        Ok(DiagnosticsReport {
            folder: folder.display().to_string(),
            files,
        })
    }

    /// The run is over: its files are whole.
    ///
    /// # Errors
    /// The marker cannot be taken away.
    pub(crate) fn finish(self) -> io::Result<()> {
        if self.made {
            fs::remove_file(self.path.join(marker_name()))?;
        }
        Ok(())
    }
}

fn is_for_programs(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "json")
}

/// An id as a path that never leaves the folder it is joined to: files outside the suite go by their own paths.
fn below(id: &str) -> PathBuf {
    let parts = Path::new(id).components();
    let path: PathBuf = parts.filter(|part| matches!(part, Component::Normal(_))).collect();
    if path.as_os_str().is_empty() {
        PathBuf::from("scenario")
    } else {
        path
    }
}

/// Makes a folder that was not there: `../a` and `/a` are two scenarios and would have one.
fn make_new(folder: &Path) -> io::Result<PathBuf> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut path = folder.to_owned();
    for number in 2_u32.. {
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let mut name = folder.as_os_str().to_owned();
                name.push(format!("-{number}"));
                path = name.into();
            }
            other => return other.map(|()| path),
        }
    }
    Err(io::Error::other("no free name is left"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn three_files() -> Diagnostics {
        let secret = "secret wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12\n";
        Diagnostics(vec![
            ("decisions.json".into(), "[]".into()),
            ("decisions.txt".into(), String::new()),
            ("proxy.log".into(), secret.into()),
        ])
    }

    #[rstest]
    #[case::of_the_suite("kube2iam/no-permission", "run/kube2iam/no-permission")]
    #[case::above("../../etc/passwd", "run/etc/passwd")]
    #[case::absolute("/etc/passwd", "run/etc/passwd")]
    #[case::nothing("..", "run/scenario")]
    fn no_id_leads_out_of_the_folder_of_the_run(#[case] id: &str, #[case] path: &str) {
        let output = tempfile::tempdir().expect("a folder");
        let mut run = RunFolder::new(output.path(), "run").expect("a writable folder");
        let kept = run.keep(id, None, &three_files()).expect("files");
        assert_eq!(Path::new(&kept.folder), output.path().join(path));
    }

    #[test]
    fn files_are_masked_and_listed_as_one_reads_them() {
        let output = tempfile::tempdir().expect("a folder");
        let mut run = RunFolder::new(&output.path().join("not/made/yet"), "run").expect("a writable folder");
        assert_eq!(
            fs::read_dir(output.path()).expect("the folder").count(),
            0,
            "nothing is made before it is due"
        );
        let kept = run.keep("a", Some(2), &three_files()).expect("files");
        assert_eq!(kept.files, ["proxy.log", "decisions.txt"]);
        assert!(
            Path::new(&kept.folder).join("decisions.json").exists(),
            "it is kept, for programs"
        );
        let log = fs::read_to_string(Path::new(&kept.folder).join("proxy.log")).expect("the log");
        assert_eq!(log, "secret [secret]\n");
    }

    #[test]
    fn two_scenarios_never_share_a_folder() {
        let output = tempfile::tempdir().expect("a folder");
        let mut run = RunFolder::new(output.path(), "run").expect("a writable folder");
        let one = run.keep("../a", None, &three_files()).expect("files");
        let other = run.keep("/a", None, &three_files()).expect("files");
        assert_ne!(one.folder, other.folder);
    }

    #[test]
    fn the_marker_of_a_run_is_there_until_its_files_are_whole() {
        let output = tempfile::tempdir().expect("a folder");
        let mut run = RunFolder::new(output.path(), "run").expect("a writable folder");
        run.keep("a", None, &three_files()).expect("files");
        let marker = output.path().join("run").join(marker_name());
        assert!(marker.exists());
        run.finish().expect("the marker goes");
        assert!(!marker.exists());
    }
}
