//! Keys from Vault: a pod's own service account logs in, and its role of the AWS secrets engine gives a lease.
//!
//! ```text
//! TokenRequest ─▶ auth/<mount>/login ─▶ <engine>/sts/<role> ─▶ keys, until the lease ends
//! ```
//!
//! * [`Vault`]: what is kept of each pod and its Vault role, and the way of a request to it;
//! * the keeper: renews tokens, and revokes those of pods that are gone ([`Vault::keep`]);
//! * the API: what Vault is asked, and what its answers mean ([`VaultError`]);
//! * [`credential_process`]: the program that an AWS SDK in a pod starts to get keys by itself.
//!
//! Leases are read at `sts/<role>`, never at `creds/<role>`: both serve every type of role, but a role of the old form
//! that would make an IAM user refuses there before it makes one. A role of the new form still makes one; its token is
//! then revoked at once, which deletes the user, and the role is not asked again for a while.

mod answer;
mod api;
mod connection;
pub mod credential_process;
mod entry;
mod error;
mod error_kind;
mod fetch;
mod keeper;
mod lease;
mod pods;
mod service_account;
mod settings;
mod state;

pub use connection::{InvalidTrust, InvalidVaultAddr, VaultAddr};
pub use error::VaultError;
pub use error_kind::{Outcome, VaultErrorKind};
pub use pods::Vault;
pub use service_account::ServiceAccounts;
pub use settings::{EngineMount, InvalidMount, VaultSettings};
