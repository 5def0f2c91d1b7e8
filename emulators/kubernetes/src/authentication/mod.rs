//! Tokens of service accounts: signed, bound to a pod, read again, and no longer good when what they name is gone.

mod claims;
mod issue;
mod issuer;
mod review;
mod user_info;

pub(crate) use claims::{Binding, Claims};
pub(crate) use issue::{BoundObject, DEFAULT_EXPIRATION, DEFAULT_MOUNT_EXPIRATION, TokenWish, expiration_error};
pub(crate) use issuer::Issuer;
pub(crate) use review::Reviewed;
pub(crate) use user_info::UserInfo;
