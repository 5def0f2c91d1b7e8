//! Authentication: what a request presents, whose key it is, and whether signature, token, expiry and date hold.

mod canonical;
mod checksum;
mod chunk_stream;
mod chunked;
mod failure;
mod hex_digest;
mod payload;
mod presented;
mod scope;
mod signature;
mod verify;

#[cfg(test)]
mod property_tests;

pub(crate) use checksum::Checksum;
pub(crate) use chunk_stream::ChunkStream;
pub(crate) use failure::AuthFailure;
pub(crate) use payload::{Payload, digests};
pub(crate) use presented::{Presented, Signed};
pub(crate) use signature::{SigningKey, SigningSecret};
pub(crate) use verify::{Checked, Verifier};
