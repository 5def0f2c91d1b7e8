//! From text to a tree of YAML nodes that know their places.

mod build;
mod node;
mod syntax;

pub(crate) use build::parse;
pub(crate) use node::{Entry, Kind, Node, Scalar, Style};
