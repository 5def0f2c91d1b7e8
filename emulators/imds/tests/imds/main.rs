//! The service as a client meets it: over real sockets, request targets sent byte for byte.

mod client;
mod credentials;
mod journal;
mod metadata;
mod spellings;
mod tokens;
mod world;
