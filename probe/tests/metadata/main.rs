//! The metadata service, asked raw and walked, against servers that misbehave in every way that a test needs.

mod raw;
mod server;
mod walk;
