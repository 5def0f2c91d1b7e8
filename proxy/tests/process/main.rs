//! The program itself, against the Kubernetes emulator; STS and the node's metadata service are wiremock. Pods are
//! loopback addresses, nothing is intercepted.

mod discovery;
mod emulated_vault;
#[expect(dead_code, reason = "the tests of the provider itself use the rest")]
#[path = "../vault/fake.rs"]
mod fake;
mod following;
mod sts;
mod vault;
mod world;
