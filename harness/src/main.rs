//! `rolecall`, the one program: what a user runs, and what it starts as its children.

use std::process::ExitCode;

/// The worlds answer from several threads at once, and what one of them allocates another one frees: glibc's allocator makes
/// them wait for each other there.
#[cfg(not(target_env = "musl"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rolecall::main()
}
