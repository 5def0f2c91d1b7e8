//! Leases: what the AWS engine has given out, and until when.

mod store;
mod ttl;

pub(crate) use store::{Lease, Leases, Secret};
pub(crate) use ttl::{Ask, Granted, grant};
