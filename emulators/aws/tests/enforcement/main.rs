//! The front over real sockets, asked by a client that signs with the SDK's own signer.

mod authentication;
mod requests;
mod roles;
mod s3;
mod sessions;
mod signer;
mod users;
mod world;
