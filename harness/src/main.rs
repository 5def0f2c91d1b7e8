//! `rolecall`, the one program: what a user runs, and what it starts as its children.

use std::process::ExitCode;

fn main() -> ExitCode {
    rolecall::main()
}
