//! `Plan` in a `World` → `Event…`: does what the steps say, asks until it is judged, and never prints.

mod ask;
mod event;
mod faults;
mod poll;
mod scenario;
mod standstill;
mod suite;

pub(crate) use event::{Due, Event, Failure, Happened, StepEnd, Verdict};
pub(crate) use suite::{SuiteOptions, run_suite, skip};
