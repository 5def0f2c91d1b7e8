//! Whether a run's own work grows with the number of scenarios and no faster: 10, 100 and 1,000 copies of one scenario, by
//! the real program as a person runs it, and beside each in the same call loading the same copies without running them.
//!
//! The own work is the processors' time of the program and its children outside the kernel. The time from outside grows
//! faster at first: the first 48 worlds are not taken down while the run lasts, and making new namespaces waits for the
//! kernel to take old ones down.
//!
//! `cargo bench -p rolecall --bench copies` takes some minutes.

use std::{
    error::Error,
    fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use nix::sys::resource::{UsageWho, getrusage};
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
    println!("milliseconds a scenario; control: `rolecall list` of the same files");
    println!(
        "{:>8} {:>10} {:>10} {:>14} {:>14}",
        "copies", "outside", "own work", "list, outside", "list, own"
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
        let listed = measured(folder.path(), "list")?;
        let ran = measured(folder.path(), "run")?;
        let each = |seconds: f64| seconds * 1000.0 / f64::from(copies);
        println!(
            "{copies:>8} {:>10.1} {:>10.1} {:>14.2} {:>14.2}",
            each(ran.outside),
            each(ran.own),
            each(listed.outside),
            each(listed.own)
        );
    }
    Ok(())
}

/// Seconds of one call.
struct Measured {
    /// From start to end.
    outside: f64,
    /// Of the processors, outside the kernel, in the program and the children that it waited for.
    own: f64,
}

fn measured(suite: &Path, command: &str) -> Result<Measured, Box<dyn Error>> {
    let (start, before) = (monotonic(), children()?);
    let output = Command::new(env!("CARGO_BIN_EXE_rolecall"))
        .current_dir(suite)
        .arg("--suite")
        .arg(suite)
        .arg(command)
        .stdin(Stdio::null())
        .output()?;
    let measured = Measured {
        outside: since(start).as_secs_f64(),
        own: children()? - before,
    };
    if output.status.success() {
        Ok(measured)
    } else {
        let out = String::from_utf8_lossy(&output.stdout);
        let last: Vec<&str> = out.lines().rev().take(5).collect();
        Err(format!("`rolecall {command}` ended with {}: {last:?}", output.status).into())
    }
}

/// The processors' seconds of all children so far, outside the kernel.
fn children() -> Result<f64, Box<dyn Error>> {
    let time = getrusage(UsageWho::RUSAGE_CHILDREN)?.user_time();
    Ok(time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6)
}
