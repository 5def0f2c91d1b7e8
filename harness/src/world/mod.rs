//! Worlds: what a scenario is run in. A world can do what a scenario asks and knows no expectation.

pub(crate) mod embedded;
mod error;
pub(crate) mod operator;
mod world;

pub(crate) use error::WorldError;
pub(crate) use world::{Diagnostics, JournalMark, MetadataTask, Patience, World, Worlds};
