//! The program itself, against the Kubernetes emulator; STS and the node's metadata service are wiremock. Pods are
//! loopback addresses, nothing is intercepted.

mod discovery;
mod following;
mod sts;
mod world;
