//! Policies: their text, their rules, and what several of them together allow.

mod acl;
mod hcl;
mod parse;
mod path;

pub(crate) use acl::Acl;
pub(crate) use parse::{Policy, parse};

/// What a token may do unless it was made without: look after itself.
pub(crate) const DEFAULT: &str = r#"# What every token may do with itself.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self"  { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }

path "sys/capabilities-self"  { capabilities = ["update"] }
path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }

# Leases may be renewed and looked up by whoever knows their id.
path "sys/renew"         { capabilities = ["update"] }
path "sys/leases/renew"  { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }

path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }

path "sys/wrapping/wrap"   { capabilities = ["update"] }
path "sys/wrapping/lookup" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
"#;

/// What a wrapping token may do.
pub(crate) const RESPONSE_WRAPPING: &str = r#"
path "cubbyhole/response"  { capabilities = ["create", "read"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
"#;
