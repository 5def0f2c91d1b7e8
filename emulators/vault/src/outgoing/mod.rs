//! The server's own requests to AWS and Kubernetes.

mod client;
mod tls;

pub(crate) use client::Outgoing;
