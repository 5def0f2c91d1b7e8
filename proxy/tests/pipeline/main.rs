//! The pipeline over real sockets: pods are loopback addresses, the pod index is filled by the test, STS is a provider
//! that counts, the node's metadata service is wiremock.

mod cached_keys;
mod default_role;
mod denials;
mod metrics;
mod namespaces;
mod paths;
mod sdk_client;
mod tokens;
mod world;
