//! Worlds: what a scenario is run in. A world can do what a scenario asks and knows no expectation.

mod botocore;
mod contract;
pub(crate) mod embedded;
mod error;
pub(crate) mod kind;
mod metadata;
mod node_secrets;
pub(crate) mod operator;
mod random;
mod record;
mod recorded;
mod seen;

pub(crate) use contract::{Diagnostics, FaultEnd, JournalMark, MetadataTask, Patience, World, Worlds};
pub(crate) use error::WorldError;
