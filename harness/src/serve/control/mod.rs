//! The control listener: what no client of AWS may do, for whoever has the run's token.
//!
//! HTTP/1.1 and JSON, `Authorization: Bearer <token>` on every request. `GET /v1/` lists the routes. What is refused is
//! `{"error": "…"}` with a status of 4xx. [`ControlClient`] is the same in types.

mod api;
mod client;
mod error;
mod faults;
mod issuer;
mod routes;
mod server;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vault_tests;

pub(crate) use api::{
    AccountKeys, Advance, ClockState, Fault, Healed, InstanceKeys, InstanceName, KnownSecret, MetadataRequest,
    Propagation, Removed, Reset, Status, TokenIssuer,
};
pub(crate) use client::ControlClient;
pub(crate) use error::ControlError;
pub(crate) use server::ControlServer;
