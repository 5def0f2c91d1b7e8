//! Rolecall proves, end to end, that a Kubernetes IAM metadata proxy hands each pod exactly the AWS role it may have.
//!
//! The way of a scenario, one direction, one type between each pair of rooms:
//!
//! ```text
//! text ──load──▶ Scenario ──plan──▶ Plan ──run in a World──▶ Event… ──fold──▶ RunReport ──write──▶ files, exit code
//! ```
//!
//! `load` is the crate `rolecall-scenario`; the other rooms are the modules here.

mod check;
mod cli;
mod image;
mod owner;
mod plan;
mod report;
mod run;
mod secrets;
mod serve;
mod subject;
mod world;

use std::{ffi::OsString, process::ExitCode};

/// The program. It starts no thread before it knows what it is to do: the embedded world must enter its namespaces
/// first, and a child must start quickly.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if world::kind::is_shell(&arguments) {
        return world::kind::shell(&arguments);
    }
    // Children first: they are started by the hundred and have flags of their own.
    match arguments.get(1).and_then(|word| word.to_str()) {
        Some("probe") => rolecall_probe::run(),
        Some("pause") => world::kind::pause(),
        Some("proxy") => {
            let name = OsString::from("rolecall proxy");
            rolecall_proxy::main_with(std::iter::once(name).chain(arguments.into_iter().skip(2)))
        }
        _ => cli::main(arguments).into(),
    }
}
