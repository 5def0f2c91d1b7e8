//! A metadata proxy that hands each pod the AWS role it may have: a drop-in for kube2iam.
//!
//! It runs on every node, takes what the node's pods send to the EC2 instance metadata service and answers from the
//! annotations of the pod that asks. One request goes one way, with a module for each arrow:
//!
//! ```text
//! accept ─▶ who ─▶ which ─▶ may ─▶ credentials ─▶ provider ─▶ answer
//!        address  annotation  namespace  cache       STS
//!        → pod    → role      rule                   or vault
//! ```
//!
//! * [`who`]: the pod behind a source address, as the Kubernetes API last said;
//! * [`which`]: the role that the pod's annotations ask for;
//! * [`may`]: whether the pod's namespace allows that role, decided before AWS is asked for anything;
//! * [`credentials`]: keys and their cache;
//! * [`provider`]: STS, with the node's own credentials;
//! * [`vault`]: keys from Vault, which belong to one pod each, and the program that gives a pod's SDK its own;
//! * [`answer`]: routes, tokens, refusals and the few paths that are passed through;
//! * [`intercept`]: the nf_tables rule that brings the pods' requests here;
//! * [`flags`] and the start ([`main_with`]).
//!
//! Where kube2iam is unsafe or breaks a client this proxy differs; `DIFFERENCES.md` lists how.

mod admin;
pub mod answer;
pub mod credentials;
pub mod flags;
pub mod intercept;
mod log;
pub mod may;
pub mod metrics;
pub mod provider;
mod readiness;
mod start;
pub mod vault;
pub mod which;
pub mod who;

pub use start::main_with;
