//! `rolecall serve` and `rolecall why`, as a user meets them.

mod endings;
mod process;
#[path = "../suite/mod.rs"]
mod suite;
mod why;
