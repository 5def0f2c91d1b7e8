//! What a person at a terminal sees: exit codes, texts and files of the real program, run on small suites.

mod endings;
mod invalid;
mod reports;
mod scenarios;
mod secrets;
mod selection;
#[path = "../suite/mod.rs"]
mod suite;
mod usage;
