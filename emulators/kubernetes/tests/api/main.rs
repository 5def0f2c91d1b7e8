//! The API server and the kubelets over real TLS sockets, with kube-rs and raw HTTP as clients.

mod access;
mod embedded;
mod pods;
mod watching;
mod writes;
