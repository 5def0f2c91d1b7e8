//! The command line.

mod args;
mod lint;
mod list;
mod main;
mod run;
mod selection;
mod suite;

pub(crate) use main::main;
