//! The way of a request to an upstream: parsed, authenticated, decided and recorded as with memory, answered elsewhere.

mod ahead;
mod compute;
mod given;
mod iam;
mod s3;
mod s3_deletion;
mod s3_permission;
mod sts;
mod uploads;
mod way;
