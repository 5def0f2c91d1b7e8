//! The scenario language: from YAML text to a checked scenario, with a span on everything.

pub mod model;
mod source;

pub use source::{Source, Span, Spanned};
