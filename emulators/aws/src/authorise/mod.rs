//! Authorisation: which action on which resource, which policies apply, and what they decide.

mod ask;
mod context;
mod gate;
mod gather;

pub(crate) use ask::{Ask, ResourcePolicy};
pub(crate) use context::Circumstances;
pub(crate) use gate::{Gate, Made};
