//! Whether the memory of a front stays flat: its resident set while it answers 1,000,000 requests, each of them
//! authorised and kept in the journal, which is bounded and counts what it drops.
//!
//! `cargo bench -p rolecall-aws --bench memory`

mod load;

use std::{fs, process::ExitCode};

use load::{Failure, Served, ask};

const STEPS: usize = 10;
const STEP: usize = 100_000;
/// How much may be added between the moment when the journal is full and the end, in MiB.
const FLAT: f64 = 8.0;
/// The step after which the journal is full, and the allocator has seen it so.
const FULL: usize = 4;

fn main() -> ExitCode {
    if !std::env::args().any(|word| word == "--bench") {
        // `cargo test --all-targets` starts benches too; there is nothing to test here.
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let measured = runtime
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(measure()));
    match measured {
        Ok(added) if added <= FLAT => ExitCode::SUCCESS,
        Ok(added) => {
            eprintln!("error: {added:.1} MiB were added after the journal was full, and at most {FLAT} may be");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<f64, Failure> {
    let served = Served::start(vec![b'x'; 1024]).await?;
    println!(
        "{:>10} {:>14} {:>16} {:>18}",
        "requests", "resident, MiB", "dropped entries", "dropped decisions"
    );
    let mut full = 0.0;
    let mut last = 0.0;
    for step in 0..=STEPS {
        if step > 0 {
            ask(served.address, &served.request, STEP).await?;
        }
        last = resident()?;
        if step == FULL {
            full = last;
        }
        let dropped = served.front.journal_dropped();
        println!(
            "{:>10} {last:>14.1} {:>16} {:>18}",
            step * STEP,
            dropped.entries,
            dropped.decisions
        );
    }
    println!(
        "added from request {} on: {:.1} MiB (goal: at most {FLAT})",
        FULL * STEP,
        last - full
    );
    Ok(last - full)
}

/// The resident set of this process, in MiB; clients and server are both in it.
fn resident() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .and_then(|line| line.split_whitespace().next())
        .ok_or("no VmRSS")?
        .parse()?;
    Ok(kib / 1024.0)
}
