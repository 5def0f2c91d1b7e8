//! The words of the language: one table, from which a file is checked and its schema and documentation are made.

mod expect;
mod fault;
mod given;
mod policy;
mod proxy;
mod shape;
mod steps;
mod top;
mod vault;

pub use given::GIVEN;
pub use proxy::PROXY;
pub use shape::{Availability, Choice, Key, NameKind, Shape, Structure, Word};
pub use steps::{ACTIONS, ActionWord, By, EVERY_STEP};
pub use top::TOP;
