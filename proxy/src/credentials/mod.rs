//! Keys of roles, and the cache that hands them out.

mod cache;
mod document;
mod keys;
mod slot;

pub use cache::Cache;
pub use document::document;
pub(crate) use document::seconds;
pub use keys::{Credentials, Key};
pub(crate) use slot::{Decision, Flight, Slot, Term, flight};
