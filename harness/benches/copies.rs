//! Whether a run's own work grows with the number of scenarios and no faster: 10, 100 and 1,000 copies of one scenario, by
//! the real program as a person runs it, and beside each in the same call loading the same copies without running them.
//!
//! `cargo bench -p rolecall --bench copies` takes some minutes.

use std::{
    error::Error,
    fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use rolecall_clock::{monotonic, since};

/// One pod, one question and no wait: what is left is the world's making, its life and its end.
const SCENARIO: &str = "\
name: A pod is handed its role, copy {copy}
why: A measure of a run's own work.
given:
  roles: { MyPodRole: {} }
  pods: { aws-cli: { role: MyPodRole } }
steps:
  - { as: aws-cli, credentials: {}, expect: { role: MyPodRole } }
";

fn main() -> ExitCode {
    if !std::env::args().any(|word| word == "--bench") {
        // `cargo test --all-targets` starts benches too; there is nothing to test here.
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    println!(
        "{:>8} {:>12} {:>16} {:>24}",
        "copies", "run, s", "ms a scenario", "control: list, ms each"
    );
    for copies in [10, 100, 1000] {
        let folder = tempfile::tempdir()?;
        let scenarios = folder.path().join("scenarios/copies");
        fs::create_dir_all(&scenarios)?;
        for copy in 0..copies {
            fs::write(
                scenarios.join(format!("{copy:04}.yaml")),
                SCENARIO.replace("{copy}", &copy.to_string()),
            )?;
        }
        let listed = seconds(folder.path(), "list")?;
        let ran = seconds(folder.path(), "run")?;
        let each = |seconds: f64| seconds * 1000.0 / f64::from(copies);
        println!("{copies:>8} {ran:>12.2} {:>16.1} {:>24.2}", each(ran), each(listed));
    }
    Ok(())
}

/// How long one call takes, from outside.
fn seconds(suite: &Path, command: &str) -> Result<f64, Box<dyn Error>> {
    let start = monotonic();
    let output = Command::new(env!("CARGO_BIN_EXE_rolecall"))
        .current_dir(suite)
        .arg("--suite")
        .arg(suite)
        .arg(command)
        .stdin(Stdio::null())
        .output()?;
    let took = since(start).as_secs_f64();
    if output.status.success() {
        Ok(took)
    } else {
        let out = String::from_utf8_lossy(&output.stdout);
        let last: Vec<&str> = out.lines().rev().take(5).collect();
        Err(format!("`rolecall {command}` ended with {}: {last:?}", output.status).into())
    }
}
