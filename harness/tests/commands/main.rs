//! The commands and flags beside a plain run, through the real program on small suites.

mod diagnostics;
mod doctor;
mod junit;
mod keep;
mod repeat;
mod say;
mod scenarios;
#[path = "../suite/mod.rs"]
mod suite;
mod sweep;
mod words;
