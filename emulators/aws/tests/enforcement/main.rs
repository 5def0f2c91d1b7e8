//! The front over real sockets, asked by a client that signs with the SDK's own signer.

mod accounts;
mod authentication;
mod copy;
mod ec2;
mod federation;
mod groups;
mod multipart;
mod policies;
mod propagation;
mod raw;
mod requests;
mod roles;
mod s3;
mod session_tags;
mod sessions;
mod signer;
mod users;
mod web_identity;
mod world;
