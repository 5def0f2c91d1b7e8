//! A scenario in words, as a platform engineer would say them aloud.

mod change;
mod expect;
mod given;
mod phrase;
mod policy;
mod step;
mod vault;
mod whole;

pub use whole::explain;
