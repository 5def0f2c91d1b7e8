//! Worlds: what a scenario is run in. A world can do what a scenario asks and knows no expectation.

mod contract;
pub(crate) mod embedded;
mod error;
pub(crate) mod operator;

pub(crate) use contract::{Diagnostics, FaultEnd, JournalMark, MetadataTask, Patience, World, Worlds};
pub(crate) use error::WorldError;
