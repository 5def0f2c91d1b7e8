//! What the policies are asked about a request that passes to the upstream.

mod iam;
mod s3;

pub(crate) use iam::{asks as asks_iam, check_documents, check_policy, own_user};
pub(crate) use s3::{Operation, ask as ask_s3, is_bucket_name};
