//! The commands and flags beside a plain run, through the real program on small suites.

mod diagnostics;
mod doctor;
mod full_disk;
mod junit;
mod keep;
mod kind_lacks;
mod repeat;
mod say;
mod scenarios;
#[path = "../suite/mod.rs"]
mod suite;
mod sweep;
mod words;
