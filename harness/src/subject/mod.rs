//! The proxy under test: how it is started, how neutral settings become its flags, which annotations it reads.

mod adapter;
mod settings;

pub(crate) use adapter::{APP_PORT, Listener, NodeFacts, Subject};
pub(crate) use settings::Settings;
