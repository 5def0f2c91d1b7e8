//! A suite that cannot fail proves nothing. For each step that expects a denial, a refusal, a status, a count, a key or
//! that something never happens, one fact of its scenario is reversed in `table/`, and *that* step must fail: verdict
//! `failed`, exit status 1, with the front's decision or the finding in the text. An `error` does not count.
//!
//! Where an earlier step sees the reversed fact first, its expectation is reversed with it; where a fact can only
//! change on the way, a step is put in, and the later ones have higher numbers.
//!
//! Here each runs by itself in the embedded world; the kind world's test runs all of the same table in one cluster.

mod table;

use std::{fs, path::Path, process::Command};

use libtest_mimic::{Arguments, Failed, Trial};
use table::{ALL, Fact, Of, Reversal};

fn main() {
    let arguments = Arguments::from_args();
    let of_scenario = |Of(scenario, reversals): &'static Of| {
        reversals
            .iter()
            .map(move |reversal| Trial::test(format!("{scenario}: {}", reversal.0), move || fails(scenario, reversal)))
    };
    let trials = ALL.iter().copied().flatten().flat_map(of_scenario).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

/// Runs `scenario` with the fact reversed, and wants its step to fail for the reason that is due.
fn fails(scenario: &str, Reversal(_, fact, step, finding): &Reversal) -> Result<(), Failed> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = tempfile::tempdir()?;
    let (file, report) = (folder.path().join("reversed.yaml"), folder.path().join("report.json"));
    fs::write(&file, fact.text(&suite, scenario)?)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
    command
        // What a failed run keeps goes with the folder.
        .current_dir(folder.path())
        .arg("--suite")
        .arg(&suite)
        .arg("run")
        .arg(&file)
        .arg("--report")
        .arg(format!("json={}", report.display()));
    if matches!(fact, Fact::Enforcement) {
        command.arg("--no-enforcement");
    }
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let shown = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap_or_default()).unwrap_or_default();
    let ended = &report["scenarios"][0];
    let found = (
        output.status.code(),
        ended["verdict"].as_str(),
        ended["failure"]["step"].as_u64(),
    );
    if found != (Some(1), Some("failed"), Some(*step)) {
        return Err(Failed::from(format!(
            "{found:?}, and step {step} is due to fail:\n{shown}"
        )));
    }
    if !text.contains(finding) {
        return Err(Failed::from(format!("no `{finding}` in:\n{shown}")));
    }
    Ok(())
}
