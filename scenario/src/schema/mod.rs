//! The language as a JSON Schema, for editors: made of the table of words.
//!
//! It says what a file may look like. What names refer to, and what contradicts itself, only [`load`](crate::load) knows.

mod build;
mod leaf;
mod step;

#[cfg(test)]
mod tests;

pub use build::schema;
