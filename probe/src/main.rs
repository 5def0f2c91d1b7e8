//! The probe as a program of its own, for an image that holds nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    rolecall_probe::run()
}
