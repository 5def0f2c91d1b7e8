//! The API server and the kubelets over real TLS sockets, with kube-rs and raw HTTP as clients.

mod access;
mod daemon_sets;
mod deployments;
mod embedded;
mod faults;
mod hidden;
mod malformed;
mod mounts;
mod pods;
mod tables;
mod tokens;
mod watching;
mod world;
mod writes;
