//! The Vault provider over real sockets: a Vault and an API server that answer as the real ones were measured to, pods
//! that are loopback addresses, and a directory of pods that the test fills.

mod credential_process;
mod day;
mod failures;
mod fake;
mod iam_user;
mod lifetimes;
mod log;
mod serving;
mod speed;
mod standby;
mod world;
