//! Bringing pods' requests to the proxy: a rule of our own in nf_tables, written over netlink without any program.
//!
//! ```text
//! table ip rolecall { chain intercept { type nat hook prerouting priority dstnat;
//!   iifname "cbr0" ip daddr 169.254.169.254 meta l4proto tcp tcp dport 80 dnat to HOST-IP:APP-PORT } }
//! ```
//!
//! The rule stays when the proxy stops or is killed, so that pods are then refused and never fall through to the
//! node's role. The next start replaces it in one transaction; [`uninstall`] removes it.

mod attribute;
mod batch;
mod rule;
mod socket;

pub use rule::{InvalidInterface, Rule};
pub use socket::InterceptError;

/// Puts the rule in the place of whatever an earlier start left, in one transaction.
///
/// # Errors
/// If the kernel refuses: the process lacks CAP_NET_ADMIN, or the kernel has no nf_tables NAT. Nothing has changed then.
pub fn install(rule: &Rule) -> Result<(), InterceptError> {
    socket::commit(&rule.install())
}

/// Removes the rule. That there is none is no error.
///
/// # Errors
/// If the kernel refuses, as for [`install`].
pub fn uninstall() -> Result<(), InterceptError> {
    socket::commit(&rule::uninstall())
}
