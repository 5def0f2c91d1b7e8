//! The services that the memory backend plays. Each operation first asks the [`Gate`](crate::authorise::Gate), then acts.

mod call;
pub(crate) mod ec2;
pub(crate) mod es;
pub(crate) mod iam;
pub(crate) mod s3;
pub(crate) mod sts;
mod tags;
pub(crate) mod unknown;

pub(crate) use call::{Call, Done};
