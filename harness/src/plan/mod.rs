//! `Scenario` → `Plan`: what will be run, and what is skipped for which reason, before anything is started.

mod capabilities;
mod decide;

pub(crate) use capabilities::Capabilities;
pub(crate) use decide::{Plan, clients, plan};
