use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A fact that is reversed: words of the file that become others, or a flag of the run.
pub(crate) enum Reversed {
    /// Each pair's first stands once in the file and becomes the second.
    Words(&'static [(&'static str, &'static str)]),
    /// The front allows what policies deny.
    Enforcement,
}

// === impl Reversed ===

impl Reversed {
    /// Runs `scenario` with the fact reversed, and wants `step` to fail (the first is 1) for a reason that has
    /// `finding` in its text.
    #[track_caller]
    pub(crate) fn fails(&self, scenario: &str, step: u64, finding: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let (output, report) = self.run(folder.path(), scenario);
        let text = String::from_utf8_lossy(&output.stdout);
        let shown = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{shown}");
        let ended = &report["scenarios"][0];
        assert_eq!(ended["verdict"], "failed", "{shown}");
        assert_eq!(ended["failure"]["step"], step, "{shown}");
        assert!(text.contains(finding), "no `{finding}` in:\n{shown}");
    }

    fn run(&self, folder: &Path, scenario: &str) -> (Output, Value) {
        let path = root().join("scenarios").join(scenario).with_extension("yaml");
        let mut text = fs::read_to_string(&path).expect("the scenario");
        if let Self::Words(words) = self {
            for (from, to) in *words {
                assert_eq!(
                    text.matches(from).count(),
                    1,
                    "`{from}` must stand once in {}",
                    path.display()
                );
                text = text.replace(from, to);
            }
        }
        let file = folder.join("reversed.yaml");
        fs::write(&file, text).expect("the reversed scenario");
        let report = folder.join("report.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
        command
            // What a failed run keeps goes with the folder.
            .current_dir(folder)
            .arg("--suite")
            .arg(root())
            .arg("run")
            .arg(&file)
            .arg("--report")
            .arg(format!("json={}", report.display()));
        if matches!(self, Self::Enforcement) {
            command.arg("--no-enforcement");
        }
        let output = command.output().expect("rolecall");
        let report = fs::read_to_string(&report)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok());
        (output, report.unwrap_or_default())
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
