//! The proxy as a program of its own, for the image.

use std::process::ExitCode;

fn main() -> ExitCode {
    rolecall_proxy::main_with(std::env::args_os())
}
