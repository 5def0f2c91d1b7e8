//! Tokens, and `auth/token/`.

mod api;
mod create;
mod store;

pub(crate) use api::handle;
pub(crate) use create::policies_of;
pub(crate) use store::{Token, Tokens};
