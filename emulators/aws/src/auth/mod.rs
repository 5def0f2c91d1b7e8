//! Authentication: what a request presents, whose key it is, and whether signature, token, expiry and date hold.

mod canonical;
mod checksum;
mod chunked;
mod failure;
mod payload;
mod presented;
mod signature;
mod verify;

#[cfg(test)]
mod property_tests;

pub(crate) use checksum::Checksum;
pub(crate) use failure::AuthFailure;
pub(crate) use payload::{Payload, digests};
pub(crate) use presented::Presented;
pub(crate) use verify::Verifier;
