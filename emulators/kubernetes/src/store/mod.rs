//! What the API server remembers: objects, the one version counter, the history of changes, and selections of both.

mod field_selector;
mod history;
mod kind;
mod label_selector;
pub(crate) mod object;
mod resource;
mod selection;
mod state;

pub(crate) use field_selector::FieldSelector;
pub(crate) use history::{Change, Compacted};
pub(crate) use kind::Kind;
pub(crate) use label_selector::{LabelSelector, is_qualified_name};
pub(crate) use resource::Resource;
pub(crate) use selection::{EventKind, Selection};
pub(crate) use state::{Key, State, Store};
