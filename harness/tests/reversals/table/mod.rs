//! All reversals, for whichever world runs them.

mod aws;
mod cache;
mod imdsv2;
mod namespace;
mod node_role;
mod pod_role;
mod resilience;
mod reversal;
mod vault;

pub(crate) use reversal::{Fact, Of, Reversal};

/// Every reversal of the suite, by file of this folder.
pub(crate) const ALL: &[&[Of]] = &[
    aws::ROWS,
    cache::ROWS,
    imdsv2::ROWS,
    namespace::ROWS,
    node_role::ROWS,
    pod_role::ROWS,
    resilience::ROWS,
    vault::ROWS,
];
