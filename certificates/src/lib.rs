//! A certificate authority and the server certificate that it has issued, for one server of one world.

mod issue;

pub use issue::{Certificates, CertificatesError};
