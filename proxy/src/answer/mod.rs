//! What a pod gets: routes, session tokens, refusals, and the few paths that are passed through.

mod host;
mod passthrough;
mod pipeline;
mod refusal;
mod route;
mod rule;
mod token;

pub use passthrough::Passthrough;
pub use pipeline::{Pipeline, Restriction, Rules};
pub use refusal::Refusal;
pub use route::Route;
pub use rule::{InvalidPassthrough, PassthroughRule};
pub use token::{InvalidToken, InvalidTtl, Tokens};
