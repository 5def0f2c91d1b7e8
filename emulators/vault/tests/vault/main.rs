//! Conversations with the emulated server over real HTTP, with the real front and the real API server emulator behind it.

mod aws;
mod cli;
mod client;
mod errors;
mod faults;
mod forwarder;
mod kubernetes;
mod leases;
mod replay;
mod seal;
mod surroundings;
mod tokens;
mod world;
