//! What goes back: answers, refusals and the form each service gives them.

mod ids;
mod refusal;
mod render;
mod xml;

pub(crate) use ids::Ids;
pub(crate) use refusal::Refusal;
pub(crate) use render::Answer;
pub(crate) use xml::{Xml, iso8601, iso8601_millis};
