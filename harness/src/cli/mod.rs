//! The command line.

mod args;
mod compare;
mod doctor;
mod examples;
mod explain;
mod interrupt;
mod kind;
mod lint;
mod list;
mod main;
mod output;
mod progress;
mod run;
mod screen;
mod selection;
mod serve;
mod suite;
mod sweep;
mod why;

pub(crate) use main::main;
