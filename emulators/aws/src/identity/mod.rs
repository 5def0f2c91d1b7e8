//! Who signs: access keys, the users and sessions behind them, and how ids and keys are made.

mod caller;
mod keys;
mod mint;
mod principals;

pub(crate) use caller::Who;
pub use caller::{Caller, SessionCredentials};
pub(crate) use keys::{Key, KeyStatus, Keys, Session};
pub(crate) use mint::{
    access_key_id, entity_id, host_id, request_id, s3_request_id, secret_access_key, session_token, upload_id,
};
pub(crate) use principals::{Federated, Identity, RoleSession, SessionTags, UserRef};
