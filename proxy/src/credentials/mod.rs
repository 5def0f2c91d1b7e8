//! Keys of roles, and the cache that hands them out.

mod cache;
mod document;
mod keys;
mod slot;

pub use cache::Cache;
pub use document::document;
pub use keys::{Credentials, Key};
