//! The scenario language: from YAML text to a checked scenario, with a span on everything.
//!
//! [`load`] reads a file in three rooms: `tree` makes spanned YAML nodes of the text, one walk over the table of
//! [`words`] collects everything that is wrong with them, and what is right becomes a [`model::Scenario`].

mod duration;
mod error;
mod excerpt;
mod explain;
mod load;
pub mod model;
mod nearest;
mod schema;
mod source;
mod tree;
mod warnings;
pub mod words;

pub use duration::{format_duration, parse_duration};
pub use error::{Errors, ScenarioError};
pub use excerpt::{caret, excerpt};
pub use explain::explain;
pub use load::{Vocabulary, load};
pub use schema::schema;
pub use source::{Source, Span, Spanned};
pub use warnings::{Warning, warnings};
