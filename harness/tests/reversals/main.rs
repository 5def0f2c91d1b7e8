//! A suite that cannot fail proves nothing. For each step that expects a denial, a refusal, a status, a count, a key or
//! that something never happens, one fact of its scenario is reversed here, and *that* step must fail: verdict
//! `failed`, exit status 1, with the front's decision or the finding in the text. An `error` does not count.
//!
//! Where an earlier step sees the reversed fact first, its expectation is reversed with it; where a fact can only
//! change on the way, a step is put in, and the later ones have higher numbers.

mod aws;
mod cache;
mod imdsv2;
mod namespace;
mod node_role;
mod pod_role;
mod resilience;
mod reversal;
mod vault;
