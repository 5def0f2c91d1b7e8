//! Another emulator behind the front, such as LocalStack: it stores and answers, the front decides.
//!
//! What the upstream does not check is checked before anything reaches it; an object alone is read while that is being
//! checked, and dropped if it may not be. What the front must know to check it is read from the upstream, or learned from
//! answers that pass:
//!
//! * *keys* ([`learn`]): the upstream never tells a secret again, so that a key is known by the answer that made it;
//! * *IAM* ([`mirror`], [`details`]): read whole, and again after a change has passed;
//! * *buckets* ([`buckets`]): whose they are and what their policies say;
//! * *what was made* ([`made`], [`remove`]): so that all of it can be removed again.
//!
//! All changes have to pass the front; one that is made elsewhere is seen by chance alone.

mod adopt;
mod asks;
mod backend;
mod body;
mod buckets;
mod client;
mod delete_objects;
mod details;
mod driven;
mod forward;
mod learn;
mod made;
mod mirror;
mod remove;
mod url;
mod xml;

pub(crate) use asks::{Operation, ask_s3, asks_iam, check_documents, check_policy, is_bucket_name, own_user};
pub(crate) use backend::{Backend, account_of};
pub(crate) use body::{Body, Check, Upload, UploadFailure};
pub(crate) use buckets::Owner;
pub(crate) use client::{Client, Reply, Signer, UpstreamError};
pub(crate) use delete_objects::{DeleteObjects, with_denied};
pub(crate) use forward::{answered, headers, path, with_ids};
pub(crate) use learn::{Passed, reads};
pub use remove::RemoveError;
pub use url::{Upstream, UpstreamUrlError};
pub(crate) use xml::Element;
