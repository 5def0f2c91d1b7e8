//! Every scenario of the suite as one test. A trial is one run of the real program, so that no test binary ever needs
//! namespaces itself, and `cargo test -- kube2iam/` selects as with any other test.

use std::{path::Path, process::Command};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut trials = Vec::new();
    match names(&root) {
        Ok(names) => trials.extend(names.into_iter().map(|name| {
            let root = root.clone();
            Trial::ignorable_test(name.clone(), move || holds(&root, &name))
        })),
        // A suite that cannot be listed must not look like a suite without scenarios.
        Err(message) => trials.push(Trial::test("the suite can be listed", move || {
            Err(Failed::from(message))
        })),
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn rolecall(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
    command.current_dir(root).arg("--suite").arg(root);
    command
}

fn names(root: &Path) -> Result<Vec<String>, String> {
    let output = rolecall(root)
        .args(["list", "--json"])
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let entries: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    Ok(entries
        .iter()
        .filter_map(|entry| Some(entry["id"].as_str()?.to_owned()))
        .collect())
}

fn holds(root: &Path, name: &str) -> Result<Completion, Failed> {
    let output = rolecall(root).args(["run", name]).output()?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    match output.status.code() {
        Some(0) => Ok(Completion::Completed),
        // A skip is neither a pass nor a failure; its reason is shown beside the test's name.
        Some(4) => match text.lines().find(|line| line.starts_with("SKIP")) {
            Some(reason) => Ok(Completion::ignored_with(reason)),
            None => Err(Failed::from(text)),
        },
        _ => Err(Failed::from(format!(
            "`rolecall run {name}` ended with {}\n{text}",
            output.status
        ))),
    }
}
