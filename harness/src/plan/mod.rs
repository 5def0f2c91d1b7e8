//! `Scenario` → `Plan`: what will be run, and what is skipped for which reason, before anything is started.

mod capabilities;
mod plan;

pub(crate) use capabilities::Capabilities;
pub(crate) use plan::{Plan, clients, plan};
